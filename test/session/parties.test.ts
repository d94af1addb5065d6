import t from 'tap';
import { AUDIENCE, ISSUER, sign } from '../helpers/tokens.ts';
import { tokenGateway } from './token-gateway.ts';

const wrong = (claim: string) => `The claim "${claim}" of the session is missing or not as required.`;

t.test('a token is from any of the issuers, and for any of the audiences', async (t) => {
  const { accepts, rejects } = await tokenGateway(t, {
    SESSION_ISSUER: ` ${ISSUER} , https://other.example/ `,
    SESSION_AUDIENCE: `web,\n\t${AUDIENCE}\n`,
  });
  for (const iss of [ISSUER, 'https://other.example/']) {
    for (const aud of ['web', AUDIENCE, ['else', 'web'], [AUDIENCE, 'web']]) {
      await accepts(await sign({ iss, aud }));
    }
  }
  for (const iss of [`${ISSUER},https://other.example/`, '', ` ${ISSUER}`, 1, null, [ISSUER]]) {
    t.equal((await rejects(await sign({ iss }), 'claim')).json.detail, wrong('iss'));
  }
  for (const aud of [`web,${AUDIENCE}`, '', ' web', 'WEB', ['else'], [['web']], { web: 'web' }, true, null]) {
    t.equal((await rejects(await sign({ aud }), 'claim')).json.detail, wrong('aud'));
  }
});

t.test('an issuer that differs by a slash at the end is another, and the answer says so', async (t) => {
  const { rejects } = await tokenGateway(t, { SESSION_ISSUER: `${ISSUER},https://other.example/` });
  for (const iss of [`${ISSUER}/`, 'https://other.example']) {
    const { json } = await rejects(await sign({ iss }), 'claim');
    t.match(json.detail, /"iss" .* differ by a slash at the end/);
  }
  t.equal((await rejects(await sign({ iss: `${ISSUER}//` }), 'claim')).json.detail, wrong('iss'));
});

t.test('another claim may say whom a token is for, and then it alone does', async (t) => {
  const { accepts, rejects } = await tokenGateway(t, { SESSION_AUDIENCE_CLAIM: 'client_id' });
  const token = (claims: Record<string, unknown>) => sign({ aud: undefined, ...claims });
  await accepts(await token({ client_id: AUDIENCE }));
  await accepts(await token({ client_id: ['else', AUDIENCE] }));
  await accepts(await token({ client_id: AUDIENCE, aud: 'else' }));
  for (const claims of [{}, { aud: AUDIENCE }, { client_id: 'else', aud: AUDIENCE }, { client_id: null }]) {
    t.equal((await rejects(await token(claims), 'claim')).json.detail, wrong('client_id'));
  }
});

t.test('a claim with a dot in its name is one at the top', async (t) => {
  const { accepts, rejects } = await tokenGateway(t, { SESSION_AUDIENCE_CLAIM: 'https://app.example/for' });
  await accepts(await sign({ 'https://app.example/for': AUDIENCE }));
  await rejects(await sign({ 'https://app': { 'example/for': AUDIENCE } }), 'claim');
});

t.test('a token for somebody else is no session, ended or not', async (t) => {
  for (const SESSION_AUDIENCE_CLAIM of ['aud', 'azp', 'constructor', '__proto__']) {
    const { rejects } = await tokenGateway(t, { SESSION_AUDIENCE_CLAIM });
    await rejects(await sign({ exp: 1, aud: 'else' }), 'claim');
  }
});
