import t from 'tap';
import { adminServer } from '../../src/operations/admin.ts';
import { build, isProblem } from '../helper.ts';

t.test('the metrics are on a port of their own, in Prometheus’ text format', async (t) => {
  const { app, put, get } = await build(t);
  await put({ tags: 1 });
  const admin = adminServer(app.metrics);
  t.teardown(() => admin.close());
  const origin = await admin.listen({ host: '127.0.0.1', port: 0 });
  const response = await fetch(`${origin}/metrics`);
  t.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  t.match(text, /^cometchat_gateway_problems_total\{code="body-invalid"\} 1$/m);
  t.match(text, /^# TYPE cometchat_gateway_redis_failures_total counter$/m);
  isProblem(t, await get('/metrics'), 404, 'route-not-found');
});

t.test('two gateways in one process count for themselves', async (t) => {
  const one = await build(t);
  const other = await build(t);
  await one.put({ tags: 1 });
  t.match(await one.app.metrics.registry.metrics(), /"body-invalid"\} 1/);
  t.match(await other.app.metrics.registry.metrics(), /"body-invalid"\} 0/);
});
