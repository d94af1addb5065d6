import { readFileSync } from 'node:fs';
import t from 'tap';
import { PROBLEMS } from '../../src/base/problems.ts';
import { BY_CODE } from '../../src/cometchat/errors.ts';
import { loadConfig } from '../../src/config/config.ts';
import { API_KEY, SECRET } from '../helpers/secrets.ts';

const page = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');

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
