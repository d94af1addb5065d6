import type { ServerResponse } from 'node:http';
import { type TSchema, Type } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { parse } from './api.ts';
import { CATALOGUE, type Name } from './catalogue.ts';
import { FaultSchema, type Method } from './faults.ts';
import type { Sandbox } from './server.ts';

const faultList = TypeCompiler.Compile(Type.Array(FaultSchema));
const linkChange = TypeCompiler.Compile(
  Type.Object(
    {
      state: Type.Union([Type.Literal('up'), Type.Literal('refused'), Type.Literal('hung')]),
      forMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 60_000 })),
    },
    { additionalProperties: false },
  ),
);

interface Control {
  readonly status: number;
  readonly document: unknown;
  /** What is done as soon as it is answered. */
  readonly afterwards?: () => void;
}

/**
 * Answers a call of the sandbox's own:
 *
 * - `GET /sandbox/calls`: what it was asked
 * - `PUT /sandbox/faults`: a JSON array of faults, played one after the other; one with a `method` waits for such a call
 * - `GET /sandbox/faults`: the catalogue; `PUT /sandbox/faults/<name>?times=3&method=GET`: one of it
 * - `PUT /sandbox/link`: `{"state": "refused", "forMs": 5000}`, or `hung`
 * - `DELETE /sandbox`: forgets calls and faults
 */
export function control(
  sandbox: Sandbox,
  { method, path, body }: { method: string; path: string; body: string },
  response: ServerResponse,
): void {
  const { pathname, searchParams } = new URL(path, 'http://sandbox');
  const { status, document, afterwards } = answer(sandbox, `${method} ${pathname}`, searchParams, body);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(document), afterwards);
}

function answer(sandbox: Sandbox, call: string, query: URLSearchParams, body: string): Control {
  const [, name] = /^PUT \/sandbox\/faults\/(.+)$/.exec(call) ?? [];
  if (name !== undefined) return playNamed(sandbox, name, query);
  switch (call) {
    case 'GET /sandbox/calls':
      return { status: 200, document: sandbox.calls };
    case 'GET /sandbox/faults':
      return {
        status: 200,
        document: Object.entries(CATALOGUE).map(([name, { about }]) => ({ name, about })),
      };
    case 'PUT /sandbox/faults': {
      const faults = parse(body);
      if (!faultList.Check(faults)) return refusal(faultList, faults);
      return { status: 200, document: { faults: sandbox.fault(...faults) } };
    }
    case 'PUT /sandbox/link': {
      const change = parse(body);
      if (!linkChange.Check(change)) return refusal(linkChange, change);
      const { state, forMs } = change;
      // Nobody could call it back.
      if (state !== 'up' && forMs === undefined) return wrong('/forMs', `Required with ${state}`);
      return { status: 200, document: change, afterwards: () => void sandbox.link(state, forMs) };
    }
    case 'DELETE /sandbox':
      sandbox.forget();
      return { status: 200, document: {} };
    default:
      return { status: 404, document: { error: `there is no ${call}` } };
  }
}

function playNamed(sandbox: Sandbox, name: string, query: URLSearchParams): Control {
  const times = query.get('times') ?? '1';
  const method = query.get('method') ?? undefined;
  if (!Object.hasOwn(CATALOGUE, name)) {
    return wrong('/name', `There is no fault ${name}; GET /sandbox/faults lists them`);
  }
  if (!/^[1-9][0-9]{0,3}$/.test(times)) return wrong('/times', 'Expected integer from 1 to 9999');
  if (!isMethod(method)) return wrong('/method', 'Expected GET or PUT');
  return { status: 200, document: { faults: sandbox.play(name as Name, Number(times), method) } };
}

const isMethod = (method: string | undefined): method is Method | undefined =>
  method === undefined || method === 'GET' || method === 'PUT';

const wrong = (path: string, message: string): Control => ({
  status: 400,
  document: { errors: [{ path, message }] },
});

const refusal = (check: TypeCheck<TSchema>, value: unknown): Control => ({
  status: 400,
  document: { errors: [...check.Errors(value)].map(({ path, message }) => ({ path, message })) },
});
