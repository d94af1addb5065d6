import t from 'tap';
import { environment } from '../helpers/environment.ts';
import { startGateway } from '../helpers/gateway.ts';
import { Child } from '../helpers/process.ts';
import { SECRET } from '../helpers/secrets.ts';
import { AUDIENCE, ISSUER, ME } from '../helpers/tokens.ts';

t.test('npm run token prints a token that the gateway takes, and nothing else', async (t) => {
  const child = new Child(t, ['scripts/token.ts', ME], environment('https://chat.example'));
  t.equal(await child.exit(), 0);
  t.match(child.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const { put } = await startGateway(t);
  t.equal((await put({ tags: [] }, { authorization: `Bearer ${child.stdout.trim()}` })).status, 200);
});

t.test('its token is from the first issuer, and for the first audience, in the claim for that', async (t) => {
  const several = {
    SESSION_ISSUER: `${ISSUER} , https://other.example`,
    SESSION_AUDIENCE: `${AUDIENCE},other`,
    SESSION_AUDIENCE_CLAIM: 'client_id',
  };
  const child = new Child(t, ['scripts/token.ts', ME], {
    ...environment('https://chat.example'),
    ...several,
  });
  t.equal(await child.exit(), 0);
  const { put } = await startGateway(t, several);
  t.equal((await put({ tags: [] }, { authorization: `Bearer ${child.stdout.trim()}` })).status, 200);
});

t.test('npm run token says what is missing', async (t) => {
  const nobody = new Child(t, ['scripts/token.ts'], environment('https://chat.example'));
  t.equal(await nobody.exit(), 64);
  t.match(nobody.stderr, /usage: /);
  const nothing = new Child(t, ['scripts/token.ts', ME]);
  t.equal(await nothing.exit(), 78);
  t.match(nothing.stderr, /SESSION_SECRET: is missing[\s\S]*SESSION_ISSUER[\s\S]*SESSION_AUDIENCE/);
  const env = { SESSION_SECRET: `${SECRET},short`, SESSION_ISSUER: ISSUER, SESSION_AUDIENCE: AUDIENCE };
  const short = new Child(t, ['scripts/token.ts', ME], env);
  t.equal(await short.exit(), 78);
  t.match(short.stderr, /SESSION_SECRET: must have 32 bytes or more; secret number 2/);
  t.equal(nobody.stdout + nothing.stdout + short.stdout, '');
});
