import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Environment, EnvironmentSchema } from '../../src/config/variables.ts';
import { Child } from '../child.ts';
import { API_KEY, AUDIENCE, environment, faultsOf, ISSUER, SECRET } from '../helper.ts';

type Name = keyof Environment;
type Env = Record<string, string>;

/** What a schema says of a variable, be it a text, a number or a choice. */
interface Variable {
  readonly must: string;
  readonly secret?: true;
  readonly type?: string;
  readonly pattern?: string;
  readonly minimum: number;
  readonly maximum: number;
}
const variables = Object.entries(EnvironmentSchema.properties) as unknown as [Name, Variable][];
/** All but numbers and choices; a choice of one is a constant. */
const isText = (variable: Variable) => variable.type === 'string' && !('const' in variable);
const secrets = variables.filter(([, { secret }]) => secret).map(([name]) => name);

const any = environment('https://chat.example');
const cometchat = { COMETCHAT_APP_ID: 'app', COMETCHAT_REGION: 'eu', COMETCHAT_API_KEY: API_KEY };
const rules = { SESSION_ISSUER: ISSUER, SESSION_AUDIENCE: AUDIENCE };
const jwks = { SESSION_JWKS_URL: 'https://login.example/jwks.json' };
const redis = { SESSION_STORE: 'redis', REDIS_URL: 'redis://h' };
/** For each kind of session what it takes to start, and nothing more. */
const KINDS: readonly Env[] = [
  { ...cometchat, SESSION_SECRET: SECRET, ...rules },
  { ...cometchat, ...jwks, ...rules },
  { ...cometchat, ...redis },
];

/** What was meant for another place: it must not come back in any fault. */
const PASTED = 'pasted(value)';

/** What is wrong with texts; none where any text is right. Of numbers and choices the schema says it. */
const WRONG: Partial<Record<Name, readonly string[]>> = {
  COMETCHAT_APP_ID: [PASTED, 'a'.repeat(64)],
  COMETCHAT_BASE_URL: [
    PASTED,
    `ftp://${PASTED}`,
    `http://${PASTED}.example`,
    `https://${PASTED}@chat.example`,
  ],
  COMETCHAT_API_KEY: [`${PASTED} key`, `${PASTED}é`],
  COMETCHAT_API_KEY_SECONDARY: [`${PASTED} key`, `${PASTED}\nother`],
  SESSION_SECRET: [PASTED, `${SECRET},${PASTED}`, `${SECRET},`],
  SESSION_JWKS_URL: [PASTED, `http://${PASTED}.example`, `https://${PASTED}@login.example`],
  SESSION_ISSUER: [],
  SESSION_AUDIENCE: [],
  SESSION_COOKIE: [PASTED, `a=${PASTED}`],
  UID_TEMPLATE: [PASTED, `{sub}${PASTED}`, `{${PASTED}`],
  ON_BEHALF_OF_TEMPLATE: [PASTED, `{sub}${PASTED}`, `{${PASTED}}{sub}`],
  REDIS_URL: [PASTED, `redis://:${PASTED}%@h`, `redis://h/${PASTED}`, `http://:${PASTED}@h`],
  CORS_ORIGINS: [PASTED, `https://app.example,${PASTED}`, `https://*.${PASTED}`],
  TRUST_PROXY: [PASTED, `10.1.0.0/16,${PASTED}`, '0.0.0.0/0'],
  HOST: [],
  OTEL_SDK_DISABLED: [],
  OTEL_TRACES_EXPORTER: [],
  OTEL_EXPORTER_OTLP_ENDPOINT: [PASTED, `http://me:${PASTED}@collector`],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: [PASTED, `http://me:${PASTED}@collector`],
  OTEL_EXPORTER_OTLP_HEADERS: [PASTED, `a=${PASTED},${PASTED}`],
  OTEL_EXPORTER_OTLP_PROTOCOL: [PASTED, 'grpc'],
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: [PASTED, 'http/json'],
};

function wrongValues(name: Name, variable: Variable): readonly string[] {
  const { type, minimum, maximum } = variable;
  if (isText(variable)) return WRONG[name] ?? [];
  if (type !== 'integer') return [PASTED, 'TRUE', ' '];
  return [PASTED, String(minimum - 1), String(maximum + 1), '0.5', '0x400', '1e3'];
}

/** A good environment that this variable can be a part of. */
const around = (name: Name): Env =>
  KINDS.find((env) => name in env) ?? { ...any, ...(name.startsWith('OTEL_') && traces) };
/** OpenTelemetry's variables matter where they ask for traces alone. */
const traces: Env = { OTEL_TRACES_EXPORTER: 'otlp' };

const namesIn = (faults: readonly string[]) => faults.map((fault) => fault.slice(0, fault.indexOf(':')));

/** Checks that there is one fault, of this variable, and that it repeats no value. */
function isOnlyFault(t: Test, env: Env, name: string, rule: string | RegExp): void {
  const faults = faultsOf(env);
  t.strictSame(namesIn(faults), [name], `${name}=${env[name]}`);
  t.match(faults[0], rule);
  t.notMatch(faults[0], PASTED);
}

t.test('of every variable it is known what would be wrong', async (t) => {
  const texts = variables.filter(([, variable]) => isText(variable)).map(([name]) => name);
  t.strictSame(Object.keys(WRONG), texts);
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
  for (const [name, variable] of variables) {
    // A text without a pattern has a notation of its own, whose parser says what is wrong.
    const hasParser = isText(variable) && variable.pattern === undefined;
    const rule = hasParser ? /: ./ : `${name}: must ${variable.must}`;
    for (const value of wrongValues(name, variable)) {
      isOnlyFault(t, { ...around(name), [name]: value }, name, rule);
    }
  }
});

t.test('each secret that its file does not give is named', async (t) => {
  const dir = t.testdir({ empty: '', blank: ' \n\n', directory: {}, good: 'good', wrong: '' });
  writeFileSync(join(dir, 'bytes'), Buffer.alloc(64, 0xfe));
  for (const name of secrets) {
    const file = `${name}_FILE`;
    const from = (path: string): Env => ({ ...around(name), [name]: '', [file]: join(dir, path) });
    isOnlyFault(t, from(PASTED), file, /must name a readable file \(ENOENT\)$/);
    isOnlyFault(t, from('directory'), file, /must name a readable file \(EISDIR\)$/);
    isOnlyFault(t, from('empty'), file, /must not name an empty file$/);
    isOnlyFault(t, from('blank'), file, /must not name an empty file$/);
    isOnlyFault(t, from('bytes'), file, /must name a file of text/);
    isOnlyFault(t, { ...from('good'), [name]: PASTED }, file, `must not be set beside ${name}; unset one`);
    const [wrong = ''] = WRONG[name] ?? [];
    writeFileSync(join(dir, 'wrong'), wrong);
    isOnlyFault(t, from('wrong'), name, /: must /);
  }
});

t.test('variables that exclude or need one another are named', async (t) => {
  const same = join(t.testdir({ key: `${API_KEY}\n` }), 'key');
  const cases: [Env, readonly Name[]][] = [
    [{ COMETCHAT_BASE_URL: '' }, ['COMETCHAT_APP_ID', 'COMETCHAT_REGION']],
    [{ COMETCHAT_BASE_URL: '', COMETCHAT_APP_ID: 'app' }, ['COMETCHAT_REGION']],
    [{ COMETCHAT_APP_ID: 'app' }, []],
    [{ COMETCHAT_API_KEY_SECONDARY: API_KEY }, ['COMETCHAT_API_KEY_SECONDARY']],
    [{ COMETCHAT_API_KEY_SECONDARY_FILE: same }, ['COMETCHAT_API_KEY_SECONDARY']],
    [jwks, ['SESSION_JWKS_URL']],
    [{ ...jwks, ...redis }, ['SESSION_JWKS_URL', 'SESSION_STORE']],
    [{ ...jwks, ...redis, SESSION_SECRET: '' }, ['SESSION_STORE']],
    [{ PORT: '9090', ADMIN_PORT: '' }, ['ADMIN_PORT']],
    [{ PORT: '', ADMIN_PORT: '3000' }, ['ADMIN_PORT']],
    [{ PORT: '0', ADMIN_PORT: '0' }, []],
    [{ SHUTDOWN_DRAIN_MS: '', SHUTDOWN_DEADLINE_MS: '5000' }, ['SHUTDOWN_DEADLINE_MS']],
    [{ SHUTDOWN_DRAIN_MS: '15000', SHUTDOWN_DEADLINE_MS: '' }, ['SHUTDOWN_DEADLINE_MS']],
    [{ SHUTDOWN_DRAIN_MS: '14999', SHUTDOWN_DEADLINE_MS: '' }, []],
  ];
  for (const [env, names] of cases) t.strictSame(namesIn(faultsOf({ ...any, ...env })), names);
});

/** Of one kind of session all that can be wrong, and is. */
function allWrong(kind: Env): Env {
  const mine = variables.filter(
    (
      [name], // The protocol of traces goes before that of all.
    ) => !/^(?:SESSION_(?:SECRET|JWKS_URL|STORE)|OTEL_EXPORTER_OTLP_PROTOCOL)$/.test(name) || name in kind,
  );
  const values = mine.map(([name, variable]) => [name, wrongValues(name, variable)[0]]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
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

t.test('a process says so on stderr and ends with 78', async (t) => {
  for (const kind of KINDS) {
    const { COMETCHAT_API_KEY: _, ...wrong } = allWrong(kind);
    const env = { ...kind, ...wrong, COMETCHAT_API_KEY: '', COMETCHAT_API_KEY_FILE: `/${PASTED}` };
    const child = new Child(t, ['src/main.ts'], env);
    t.equal(await child.exit(), 78);
    t.equal(child.stdout, '');
    const faults = faultsOf(env);
    t.ok(namesIn(faults).includes('COMETCHAT_API_KEY_FILE'));
    t.equal(
      child.stderr,
      [`The configuration has ${faults.length} fault(s):`, ...faults].join('\n  ').concat('\n'),
    );
    t.notMatch(child.stderr, PASTED);
  }
});

t.test('what a whole cluster says of traces is no fault where the gateway shall send none', async (t) => {
  const others: Env[] = [
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: 'h:4317', OTEL_SDK_DISABLED: 'TRUE' },
    { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' },
    { OTEL_TRACES_EXPORTER: 'console', OTEL_EXPORTER_OTLP_HEADERS: 'nothing' },
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf', ...traces },
    { OTEL_TRACES_EXPORTER: 'otlp,console', OTEL_EXPORTER_OTLP_HEADERS: 'a=b,' },
  ];
  for (const env of others) t.strictSame(faultsOf({ ...any, ...env }), [], JSON.stringify(env));
});
