import t from 'tap';
import { secretSessions } from '../../src/session/secret.ts';
import { SECRET } from '../helpers/secrets.ts';
import { ISSUER, ME, RULES, sign } from '../helpers/tokens.ts';
import { throwing } from './throwing.ts';
import { tokenGateway } from './token-gateway.ts';

const now = () => Math.floor(Date.now() / 1000);

t.test('an expired session is told apart, so that the app refreshes it', async (t) => {
  const { rejects } = await tokenGateway(t);
  for (const age of [0, 1, 31, 3600]) {
    const answer = await rejects(await sign({ exp: now() - age }), 'expired', { code: 'session-expired' });
    t.match(
      answer.headers.get('www-authenticate'),
      /^Bearer .*error="invalid_token", error_description="expired"/,
    );
  }
});

t.test('a claim that is missing or wrong is named', async (t) => {
  const { rejects, requests } = await tokenGateway(t);
  const wrong: Record<string, unknown>[] = [
    { exp: undefined },
    { exp: 'tomorrow' },
    { exp: null },
    { iss: undefined },
    { iss: 'https://else.example' },
    { iss: [ISSUER] },
    { iss: { toString: '' } },
    { aud: undefined },
    { aud: 'else' },
    { aud: ['else', 'another'] },
    { aud: [] },
    { nbf: 'now' },
    { iat: 'now' },
  ];
  for (const claims of wrong) {
    const answer = await rejects(await sign(claims), 'claim');
    const [claim] = Object.keys(claims);
    t.equal(answer.json.detail, `The claim "${claim}" of the session is missing or not as required.`);
    t.equal(requests().at(-1)?.claim, claim, 'in the log too');
  }
});

t.test('a session from the future is told that clocks differ', async (t) => {
  const { rejects } = await tokenGateway(t);
  for (const claim of ['nbf', 'iat']) {
    const answer = await rejects(await sign({ [claim]: now() + 120 }), 'claim');
    t.match(
      answer.json.detail,
      `The claim "${claim}" of the session lies in the future: the clocks of its issuer`,
    );
  }
});

t.test('a time in milliseconds is named', async (t) => {
  const { accepts, rejects } = await tokenGateway(t);
  for (const claim of ['exp', 'nbf', 'iat']) {
    for (const unit of [1000, 1e6, 1e9]) {
      const answer = await rejects(await sign({ [claim]: now() * unit }), 'claim');
      t.equal(
        answer.json.detail,
        `The claim "${claim}" of the session seems to be in milliseconds; it must be in UNIX seconds.`,
      );
    }
  }
  await rejects(await sign({ exp: -1e300 }), 'expired', { code: 'session-expired' });
  // What some issuers write for never: the end of the year 9999.
  await accepts(await sign({ exp: 253_402_300_799 }));
});

t.test('the issuer’s clock may be half a minute ahead, but a session ends on time', async (t) => {
  const issued = 1_800_000_000;
  let seconds = issued;
  const verify = throwing(
    secretSessions({ secrets: { current: [SECRET] }, ...RULES }, () => new Date(seconds * 1000)),
  );
  for (const claim of ['nbf', 'iat']) {
    const token = await sign({ iat: undefined, [claim]: issued, exp: issued + 60 });
    seconds = issued - 30;
    t.match(await verify(token), { sub: ME }, `${claim} is 30 s ahead`);
    seconds = issued - 31;
    await t.rejects(verify(token), { code: 'session-invalid' }, `${claim} is 31 s ahead`);
    seconds = issued + 59.999;
    t.match(await verify(token), { sub: ME }, 'a millisecond before its end');
    seconds = issued + 60;
    await t.rejects(verify(token), { code: 'session-expired' }, 'its end');
  }
});
