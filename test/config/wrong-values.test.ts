import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { environment, faultsOf, type Variables } from '../helpers/environment.ts';
import { API_KEY, SECRET } from '../helpers/secrets.ts';
import { AUDIENCE, ISSUER } from '../helpers/tokens.ts';
import { type Name, PASTED, WRONG } from './wrong-values.ts';

const variables = Object.entries(EnvironmentSchema.properties) as [Name, { secret?: true }][];
const secrets = variables.filter(([, { secret }]) => secret).map(([name]) => name);

const any = environment('https://chat.example');
const cometchat = { COMETCHAT_APP_ID: 'app', COMETCHAT_REGION: 'eu', COMETCHAT_API_KEY: API_KEY };
const rules = { SESSION_ISSUER: ISSUER, SESSION_AUDIENCE: AUDIENCE };
const jwks = { SESSION_JWKS_URL: 'https://login.example/jwks.json' };
const redis = { SESSION_STORE: 'redis', REDIS_URL: 'redis://h' };
/** For each kind of session what it takes to start, and nothing more. */
const KINDS: readonly Variables[] = [
  { ...cometchat, SESSION_SECRET: SECRET, ...rules },
  { ...cometchat, ...jwks, ...rules },
  { ...cometchat, ...redis },
];

/** OpenTelemetry's variables matter where they ask for traces alone. */
const traces = { OTEL_TRACES_EXPORTER: 'otlp' };
/** A good environment that this variable can be a part of. */
const around = (name: Name): Variables =>
  KINDS.find((env) => name in env) ?? { ...any, ...(name.startsWith('OTEL_') && traces) };

const namesIn = (faults: readonly string[]) => faults.map((fault) => fault.slice(0, fault.indexOf(':')));

/** Checks that there is one fault, of this variable, and that it repeats no value. */
function isOnlyFault(t: Test, env: Variables, name: string, rule: RegExp): void {
  const faults = faultsOf(env);
  t.strictSame(namesIn(faults), [name], `${name}=${encodeURI(String(env[name]))}`);
  t.match(faults[0], rule);
  t.notMatch(faults[0], PASTED);
}

t.test('of every variable it is known what would be wrong', async (t) => {
  t.strictSame(
    Object.keys(WRONG),
    variables.map(([name]) => name),
  );
});

t.test('each variable that is needed is named when it is missing', async (t) => {
  /** Where no kind of session is chosen, the first is asked for. */
  const instead: Partial<Record<Name, readonly Name[]>> = {
    SESSION_JWKS_URL: ['SESSION_SECRET'],
    SESSION_STORE: ['SESSION_SECRET', 'SESSION_ISSUER', 'SESSION_AUDIENCE'],
  };
  for (const env of KINDS) {
    t.strictSame(faultsOf(env), [], 'no other is needed');
    for (const name of Object.keys(env) as Name[]) {
      const faults = faultsOf({ ...env, [name]: '' });
      t.strictSame(namesIn(faults), instead[name] ?? [name]);
      for (const fault of faults) t.match(fault, /^\w+: is missing; /);
      t.match(faults.join(), name);
    }
  }
});

t.test('each variable that is wrong is named, with the rule and without the value', async (t) => {
  for (const [name] of variables) {
    for (const [rule, ...values] of WRONG[name]) {
      for (const value of values) isOnlyFault(t, { ...around(name), [name]: value }, name, rule);
    }
  }
});

t.test('each secret that its file does not give is named', async (t) => {
  const dir = t.testdir({ empty: '', blank: '\ufeff \r\n\n', directory: {}, good: 'good', wrong: '' });
  writeFileSync(join(dir, 'bytes'), Buffer.alloc(64, 0xfe));
  for (const name of secrets) {
    const file = `${name}_FILE`;
    const from = (path: string): Variables => ({ ...around(name), [name]: '', [file]: join(dir, path) });
    const or = name === 'COMETCHAT_API_KEY_SECONDARY' ? '; an empty one will do' : '';
    isOnlyFault(t, from(PASTED), file, new RegExp(`must name a readable file \\(ENOENT\\)${or}$`));
    isOnlyFault(t, from('directory'), file, new RegExp(`must name a readable file \\(EISDIR\\)${or}$`));
    for (const path of ['empty', 'blank']) {
      // No secondary key is none.
      if (name === 'COMETCHAT_API_KEY_SECONDARY') t.strictSame(faultsOf(from(path)), []);
      else isOnlyFault(t, from(path), file, /must not name an empty file$/);
    }
    isOnlyFault(t, from('bytes'), file, /must name a file of text/);
    const beside = new RegExp(`must not be set beside ${name}; unset one of the two$`);
    isOnlyFault(t, { ...from('good'), [name]: PASTED }, file, beside);
    const [[, wrong = ''] = []] = WRONG[name];
    if (wrong === '') continue;
    writeFileSync(join(dir, 'wrong'), wrong);
    isOnlyFault(t, from('wrong'), name, /: must /);
  }
});

t.test('variables that exclude or need one another are named', async (t) => {
  const cases: [Variables, ...RegExp[]][] = [
    [{ COMETCHAT_BASE_URL: '' }, /^COMETCHAT_APP_ID: is missing;/, /^COMETCHAT_REGION: is missing;/],
    [{ COMETCHAT_BASE_URL: '', COMETCHAT_APP_ID: 'app' }, /^COMETCHAT_REGION: is missing;/],
    [{ COMETCHAT_APP_ID: 'app' }],
    [jwks, /^SESSION_JWKS_URL: must not be set beside SESSION_SECRET/],
    [
      { ...jwks, ...redis },
      /^SESSION_JWKS_URL: must not be set beside SESSION_SECRET/,
      /^SESSION_STORE: must not be set beside SESSION_SECRET/,
    ],
    [{ ...jwks, ...redis, SESSION_SECRET: '' }, /^SESSION_STORE: must not be set beside SESSION_JWKS_URL/],
    [{ SESSION_SECRET: '', SESSION_STORE: 'redis' }, /^REDIS_URL: is missing; SESSION_STORE=redis needs it/],
    [{ PORT: '9090', ADMIN_PORT: '' }, /^ADMIN_PORT: must not be PORT/],
    [{ PORT: '', ADMIN_PORT: '3000' }, /^ADMIN_PORT: must not be PORT/],
    [{ PORT: '0', ADMIN_PORT: '0' }],
    [{ SHUTDOWN_DRAIN_MS: '', SHUTDOWN_DEADLINE_MS: '5000' }, /^SHUTDOWN_DEADLINE_MS: must be more than/],
    [{ SHUTDOWN_DRAIN_MS: '15000', SHUTDOWN_DEADLINE_MS: '' }, /^SHUTDOWN_DEADLINE_MS: must be more than/],
    [{ SHUTDOWN_DRAIN_MS: '14999', SHUTDOWN_DEADLINE_MS: '' }],
  ];
  for (const [env, ...faults] of cases) {
    const found = faultsOf({ ...any, ...env });
    t.match(found, faults);
    t.equal(found.length, faults.length);
  }
});

/** Of one kind of session all that can be wrong, and is. */
function allWrong(kind: Variables): Variables {
  // The protocol of traces goes before that of all.
  const others = /^(?:SESSION_(?:SECRET|JWKS_URL|STORE)|OTEL_EXPORTER_OTLP_PROTOCOL)$/;
  const mine = variables.map(([name]) => name).filter((name) => !others.test(name) || name in kind);
  return Object.fromEntries(
    mine.flatMap((name) => WRONG[name].slice(0, 1).map(([, value]) => [name, value])),
  );
}

t.test('all that are wrong are named at once', async (t) => {
  for (const kind of KINDS) {
    const wrong = allWrong(kind);
    const faults = faultsOf({ ...kind, ...wrong });
    t.strictSame(namesIn(faults).sort(), Object.keys(wrong).sort());
    t.ok(faults.length > 25);
    t.notMatch(faults.join(), PASTED);
  }
});
