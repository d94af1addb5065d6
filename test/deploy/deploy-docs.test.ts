import t from 'tap';
import { PROBLEMS } from '../../src/base/problems.ts';
import { BY_CODE } from '../../src/cometchat/errors.ts';
import { loadConfig } from '../../src/config/config.ts';
import { bash, blocksIn, pageOf, sectionOf } from '../helpers/docs-page.ts';
import { startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { API_KEY, SECRET } from '../helpers/secrets.ts';
import { sign } from '../helpers/tokens.ts';

const page = pageOf('deploy.md');

/** The variables that the page writes into a file. */
function fileOf(name: string): Record<string, string> {
  const [, lines = ''] = new RegExp(`cat > ${name}\\) <<'?END'?\\n([\\s\\S]*?)\\n *END\\n`).exec(page) ?? [];
  return Object.fromEntries(lines.split('\n').map((line) => line.trim().split(/=(.*)/, 2)));
}

const gateway = {
  ...fileOf('gateway.env'),
  COMETCHAT_APP_ID: 'app',
  COMETCHAT_REGION: 'eu',
  COMETCHAT_API_KEY: API_KEY,
  SESSION_SECRET: SECRET,
};

t.test('the gateway starts with the variables that the page writes, and warns of none', async (t) => {
  t.equal(Object.keys(gateway).length, 7);
  t.strictSame(loadConfig(gateway).warnings, []);
});

t.test('so it does with a proxy, and shows no password', async (t) => {
  const config = loadConfig({ ...gateway, ...fileOf('proxy.env') });
  t.strictSame(config.warnings, []);
  t.match(page, `"proxy":"${config.proxies.join(' ')}"`);
});

t.test('each wrong answer is a problem with that status', async (t) => {
  const answers = [...page.matchAll(/^\| (\d{3}) `([a-z-]+)` \|/gm)];
  t.ok(answers.length > 8);
  for (const [, status, code = ''] of answers) {
    t.equal(String(Object.entries(PROBLEMS).find(([name]) => name === code)?.[1].status), status, code);
  }
});

t.test('each of CometChat’s codes for a wrong set-up is a gateway-misconfigured', async (t) => {
  const codes = [...page.matchAll(/`((?:AUTH_ERR|ERR_API)_\w+)`/g)].map(([, code = '']) => code);
  t.equal(codes.length, 4);
  for (const code of codes) t.equal(BY_CODE[code]?.problem, 'gateway-misconfigured', code);
});

const [, put = '', get = ''] = blocksIn(sectionOf(page, '## Check a deployment'), 'sh');

const checks = [
  { what: 'a good deployment', sandbox: {}, status: '200' },
  { what: 'a key that CometChat refuses', sandbox: { apiKey: 'another' }, status: '502' },
];
for (const { what, sandbox, status } of checks) {
  testWith('curl', `only the PUT of the page tells ${what}: /readyz is 200`, async (t) => {
    const gateway = await startGateway(t, {}, { sandbox });
    t.equal((await gateway.get('/readyz')).status, 200);
    const run = async (lines: string) => {
      const filledIn = lines.replace(/^ *GATEWAY=.*$/m, '').replace('another-user-id', 'cometchat-uid-3');
      return bash(filledIn, { GATEWAY: gateway.origin, TOKEN: await sign() });
    };
    const [body = '', shown] = (await run(put)).trimEnd().split('\n');
    t.equal(shown, status);
    t.equal(body.includes('"tags":["check"]'), status === '200');
    t.equal((await run(get)).includes('"tags":["check"]'), status === '200');
  });
}
