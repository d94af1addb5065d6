// The health check of the image: `node scripts/health-check.ts [path]` asks the gateway in the same container whether it lives, or
// what the path asks, and ends with 0 where the answer is 200.
import http from 'node:http';

const { HOST = '', PORT = '' } = process.env;
const [path = '/livez'] = process.argv.slice(2);

http
  .get({
    // Linux takes the addresses that stand for all of its own, 0.0.0.0 and ::, for the loopback.
    host: HOST.trim() || '0.0.0.0',
    port: PORT.trim() || 3000,
    path,
    // One of its own knows no proxy, whatever NODE_USE_ENV_PROXY says.
    agent: false,
  })
  .once('response', ({ statusCode }) => end(statusCode === 200, `${statusCode}`))
  .once('error', ({ message }) => end(false, message));

/** @param found what `docker inspect` shows */
function end(isHealthy: boolean, found: string): never {
  console.log(found);
  process.exit(isHealthy ? 0 : 1);
}
