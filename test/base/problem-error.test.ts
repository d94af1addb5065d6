import t from 'tap';
import { ProblemError } from '../../src/base/problem-error.ts';
import { PROBLEMS } from '../../src/base/problems.ts';
import { isProblem } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';

t.test('an unknown address is a 404 problem', async (t) => {
  const { get } = await startGateway(t);
  isProblem(t, await get('/me'), 404, 'route-not-found');
});

t.test('an address that cannot be decoded is a 404 problem, and logged', async (t) => {
  const { get, requests } = await startGateway(t);
  isProblem(t, await get('/%zz'), 404, 'route-not-found');
  t.match(requests(), [{ status: 404, problem: 'route-not-found', error: { type: 'route-not-found' } }]);
});

t.test('a wrong method is a 405 problem that lists the right ones', async (t) => {
  const { get } = await startGateway(t);
  for (const [path, methods] of [
    ['/me/conversations/tags', 'GET, PUT, PATCH'],
    ['/me/conversations', 'GET'],
  ] as const) {
    for (const method of ['POST', 'DELETE', 'OPTIONS']) {
      const answer = await get(`${path}?x=1`, { method });
      isProblem(t, answer, 405, 'method-not-allowed');
      t.equal(answer.headers.get('allow'), methods);
    }
    const head = await get(path, { method: 'HEAD' });
    t.match([head.status, head.headers.get('allow'), head.text], [405, methods, '']);
  }
  const answer = await get('/livez', { method: 'POST' });
  t.equal(answer.headers.get('allow'), 'GET, HEAD');
});

t.test('an error that nobody foresaw tells the client nothing and the log everything', async (t) => {
  const { get, requests } = await startGateway(
    t,
    {},
    {
      extend: (app) =>
        app.get('/boom', () => {
          throw new Error('private detail');
        }),
    },
  );
  const answer = await get('/boom');
  isProblem(t, answer, 500, 'internal');
  t.notMatch(answer.text, /private detail|at .*\.ts/);
  t.match(requests(), [
    {
      level: 'error',
      status: 500,
      problem: 'internal',
      err: { message: 'private detail', stack: /problem-error\.test/ },
    },
  ]);
});

t.test('a problem costs no stack, and takes nobody else’s away', async (t) => {
  const { stackTraceLimit } = Error;
  t.notMatch(new ProblemError('internal').stack, /\n\s+at /);
  t.equal(Error.stackTraceLimit, stackTraceLimit);
  t.match(new Error('another').stack, /\n\s+at .*problem-error\.test/);
});

t.test('exact details and headers go before those of the catalogue', async (t) => {
  const general = new ProblemError('cometchat-busy');
  t.equal(general.headers['retry-after'], '60');
  t.equal(general.body('1').detail, PROBLEMS['cometchat-busy'].detail);
  const exact = new ProblemError('cometchat-busy', { detail: 'exact', headers: { 'retry-after': '5' } });
  t.equal(exact.headers['retry-after'], '5');
  t.equal(exact.body('1').detail, 'exact');
});
