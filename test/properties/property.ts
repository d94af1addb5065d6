import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Test } from 'tap';
import type { Call } from '../../sandbox/server.ts';
import type { Answer } from '../helpers/answers.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { API_KEY } from '../helpers/secrets.ts';
import { ME } from '../helpers/tokens.ts';

interface Requests<T> {
  /** What a request is made of. */
  readonly arbitrary: fc.Arbitrary<T>;
  readonly send: (gateway: Gateway, value: T) => Promise<Answer>;
  /** The only user who may act in its call; the one user of the tests unless given. */
  readonly actor?: (value: T) => string;
  /** How many calls it can lead to; one unless given. */
  readonly calls?: number;
}

/** Plays so many requests, one after the other. */
export type Property = (t: Test, runs: number) => Promise<void>;

/**
 * Whatever comes in, no defect shows as a 500, and nothing goes out but a documented call, in the name of the user who is
 * signed in. fast-check reports the smallest request that it finds to break this, and the seed.
 */
export const holdsFor =
  <T>({ arbitrary, send, actor = () => ME, calls: most = 1 }: Requests<T>): Property =>
  async (t, runs) => {
    const gateway = await startGateway(t);
    let called = 0;
    let refused = 0;
    const property = fc.asyncProperty(arbitrary, async (value) => {
      const answer = await send(gateway, value);
      const calls = gateway.sandbox.calls.splice(0);
      assert.ok(isDocumented(answer), `the answer was ${answer.status} ${answer.text}`);
      assert.ok(calls.length <= most, `there were ${calls.length} calls`);
      for (const call of calls) assert.ok(isContract(call, actor(value)), `called ${JSON.stringify(call)}`);
      if (answer.status === 200) assert.ok(calls.length >= 1, 'nothing was called');
      else refused += 1;
      called += calls.length;
    });
    await fc.assert(property, { numRuns: runs });
    t.ok(called > runs / 20, `${called} of ${runs} were good enough to reach CometChat`);
    t.ok(refused > runs / 20, `${refused} were not, or CometChat refused them`);
  };

/** Whether what the client got is the slim body, or a problem, and not that of a defect. */
const isDocumented = ({ status, headers, json }: Answer): boolean =>
  status === 200
    ? Array.isArray(json.conversations)
    : status !== 500 &&
      headers.get('content-type') === 'application/problem+json' &&
      json.status === status &&
      json.code !== 'internal';

const TARGET = '(?:users|groups)/[a-z0-9_-]{1,100}/conversation';
const PAGE = 'perPage=[1-9][0-9]{0,2}&page=[1-9][0-9]{0,9}';
const FILTER = '(?:&tags=[^&=]+)?(?:&conversationType=(?:user|group))?(?:&unread=true)?';
const PUT = new RegExp(`^/v3/${TARGET}$`);
const GET = new RegExp(`^/v3/(?:${TARGET}|conversations\\?withTags=true&${PAGE}${FILTER})$`);

/** Whether what CometChat got is one of its documented calls, to the letter, as this user. */
function isContract({ method, path, headers, body }: Call, user: string): boolean {
  const isWrite = method === 'PUT';
  const names = 'accept,apikey,connection,content-length,content-type,host,onbehalfof,user-agent';
  return (
    (isWrite ? PUT.test(path) && isTags(body) : method === 'GET' && GET.test(path) && body === '') &&
    headers.onbehalfof === user &&
    headers.apikey === API_KEY &&
    Object.keys(headers).sort().join() === (isWrite ? names : names.replace('content-length,', ''))
  );
}

function isTags(body: string): boolean {
  const { tags, ...others } = JSON.parse(body) as { tags: string[] };
  return (
    Object.keys(others).length === 0 &&
    tags.length <= 25 &&
    new Set(tags).size === tags.length &&
    tags.every((tag) => tag.trim() === tag && tag.length >= 1 && tag.length <= 100 && tag.isWellFormed())
  );
}
