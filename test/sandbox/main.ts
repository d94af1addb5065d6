import { Sandbox } from './server.ts';

const port = Number(process.env.SANDBOX_PORT || 4000);
const host = process.env.SANDBOX_HOST || '127.0.0.1';
// The variable of the gateway, so that one environment does for both.
const apiKey = process.env.COMETCHAT_API_KEY || 'sandbox-api-key';

const sandbox = await Sandbox.start({ apiKey, host, port });
process.stdout.write(
  [
    `CometChat's stand-in answers at ${sandbox.baseUrl}`,
    `  users cometchat-uid-1 to -5, groups cometchat-guid-1 and project-group`,
    `  what it was asked:  curl ${sandbox.origin}/sandbox/calls`,
    `  a fault to play:    curl -X PUT ${sandbox.origin}/sandbox/faults -d '[{"status":503,"times":2}]'`,
    '',
  ].join('\n'),
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sandbox.close());
