import t from 'tap';
import type { Sandbox } from '../../sandbox/server.ts';
import { KEY, sandboxed } from './sandboxed.ts';

const PATH = '/v3/users/cometchat-uid-2/conversation';

const control = async (sandbox: Sandbox, method: string, path: string) => {
  const response = await fetch(`${sandbox.origin}/sandbox${path}`, { method });
  return { status: response.status, json: JSON.parse(await response.text()) };
};

t.test('a fault of the catalogue is played by its name, so many times', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  t.match(await control(sandbox, 'PUT', '/faults/status-503?times=2'), { status: 200, json: { faults: 2 } });
  t.match(await control(sandbox, 'PUT', '/faults/unknown-uid'), { json: { faults: 3 } });
  for (const status of [503, 503, 404, 200]) t.equal((await call('GET', PATH)).status, status);
  t.equal(sandbox.received, 4, 'the calls of its own do not count');
});

t.test('the catalogue can be read', async (t) => {
  const { sandbox } = await sandboxed(t);
  const { json } = await control(sandbox, 'GET', '/faults');
  t.match(json.at(0), { name: 'reset-before-headers', about: /breaks off/ });
  t.match(json.at(-1), { name: 'applied-but-lost', about: /write is done/ });
});

t.test('a wrong name or number is refused', async (t) => {
  const { sandbox } = await sandboxed(t);
  for (const path of ['/constructor', '/%25', '/status-503/']) {
    t.match(await control(sandbox, 'PUT', `/faults${path}`), { status: 400 });
  }
  t.match(await control(sandbox, 'PUT', '/faults/'), { status: 404 });
  t.match(await control(sandbox, 'PUT', '/faults/no-such-fault'), {
    status: 400,
    json: {
      errors: [{ path: '/name', message: 'There is no fault no-such-fault; GET /sandbox/faults lists them' }],
    },
  });
  for (const times of ['0', '-1', '1.5', 'many', '', '10000']) {
    t.match(await control(sandbox, 'PUT', `/faults/status-503?times=${times}`), {
      status: 400,
      json: { errors: [{ path: '/times', message: 'Expected integer from 1 to 9999' }] },
    });
  }
  for (const method of ['POST', 'get', '']) {
    t.match(await control(sandbox, 'PUT', `/faults/status-503?method=${method}`), {
      status: 400,
      json: { errors: [{ path: '/method', message: 'Expected GET or PUT' }] },
    });
  }
  t.equal((await fetch(sandbox.origin + PATH, { headers: { apikey: KEY } })).status, 400, 'none is played');
});

t.test('chaos meets its share of the calls that no fault waits for', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  const dice = [0.2, 0, 0.3, 0.1, 0.99];
  const random = () => dice.shift() ?? 1;
  sandbox.chaos(0.3, ['status-502', 'status-504'], random);
  sandbox.play('status-500');
  t.equal((await call('GET', PATH)).status, 500, 'what waits goes first, and no dice is thrown');
  for (const status of [502, 200, 504, 200]) t.equal((await call('GET', PATH)).status, status);
  sandbox.chaos(0, ['status-502'], () => 0);
  t.equal((await call('GET', PATH)).status, 200);
});
