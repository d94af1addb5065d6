import fc from 'fast-check';
import type { Test } from 'tap';
import type { Call } from '../../sandbox/server.ts';
import { type Answer, API_KEY, build, ME } from '../helper.ts';

// Whatever comes in: no defect shows as a 500, and nothing goes out but the documented call, in the name of
// the one who is signed in. 5,000 of each sort, a hundred at a time.
const REQUESTS = 5000;
const BATCH = 100;

export type Gateway = Awaited<ReturnType<typeof build>>;

/** Ids, near the rule: many keep it and many break it in one place. */
export const id = fc.oneof(
  fc.constantFrom('cometchat-uid-3', 'cometchat-uid-1', 'project-group', 'a', 'x'.repeat(100)),
  fc.stringMatching(/^[a-z0-9_-]{0,110}$/),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('../x', '..', '%2e%2e', 'a/b', 'a\r\nb', 'Alice', '\u0430', '__proto__', 'constructor'),
);

/** Whether what CometChat got is its documented call, to the letter, as this user. */
function isContract({ method, path, headers, body }: Call, user: string): boolean {
  const { tags, ...others } = JSON.parse(body) as { tags: string[] };
  return (
    method === 'PUT' &&
    /^\/v3\/(users|groups)\/[a-z0-9_-]{1,100}\/conversation$/.test(path) &&
    headers.onbehalfof === user &&
    headers.apikey === API_KEY &&
    Object.keys(headers).sort().join() ===
      'accept,apikey,connection,content-length,content-type,host,onbehalfof,user-agent' &&
    Object.keys(others).length === 0 &&
    tags.length <= 25 &&
    new Set(tags).size === tags.length &&
    tags.every((tag) => tag.trim() === tag && tag.length >= 1 && tag.length <= 100 && tag.isWellFormed())
  );
}

/** Whether what the client got is the slim body, or a problem, and not that of a defect. */
const isDocumented = ({ status, headers, json }: Answer): boolean =>
  status === 200
    ? Array.isArray(json.conversations)
    : status !== 500 &&
      headers.get('content-type') === 'application/problem+json' &&
      json.status === status &&
      json.code !== 'internal';

/**
 * Sends thousands of requests to a gateway; fast-check tells the first that breaks the promise, and its seed.
 *
 * @param send makes one of a batch
 * @param actor who may act in a call that a batch has made; the one user of the tests unless given
 */
export async function holds<T>(
  t: Test,
  arbitrary: fc.Arbitrary<T>,
  send: (gateway: Gateway, value: T, index: number) => Promise<Answer>,
  actor: (call: Call, values: readonly T[]) => string = () => ME,
): Promise<void> {
  const gateway = await build(t);
  const { calls } = gateway.sandbox;
  const answered: number[] = [];
  let made = 0;
  const batch = fc.array(arbitrary, { minLength: BATCH, maxLength: BATCH });
  const property = fc.asyncProperty(batch, async (values) => {
    calls.length = 0;
    const answers = await Promise.all(values.map((value, index) => send(gateway, value, index)));
    answered.push(...answers.map(({ status }) => status));
    made += calls.length;
    return answers.every(isDocumented) && calls.every((call) => isContract(call, actor(call, values)));
  });
  await fc.assert(property, { numRuns: REQUESTS / BATCH, endOnFailure: true });
  t.equal(answered.length, REQUESTS);
  t.ok(made > REQUESTS / 20, `${made} were good enough to reach CometChat`);
  const refused = answered.filter((status) => status >= 400).length;
  t.ok(refused > REQUESTS / 20, `${refused} were not, or CometChat refused them`);
}
