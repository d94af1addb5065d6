import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tls } from './certificates.ts';
import { FRIENDS } from './documents.ts';
import { Sandbox } from './server.ts';

const port = Number(process.env.SANDBOX_PORT || 4000);
const host = process.env.SANDBOX_HOST || '127.0.0.1';
const tls = (process.env.SANDBOX_TLS || undefined) as Tls | undefined;
if (tls && !['good', 'expired', 'wrong-host'].includes(tls)) {
  throw new Error('SANDBOX_TLS must be good, expired or wrong-host');
}
// The variables of the gateway, so that one environment does for both.
const apiKey = process.env.COMETCHAT_API_KEY || 'sandbox-api-key';
const second = process.env.COMETCHAT_API_KEY_SECONDARY;
const users = Number(process.env.SANDBOX_USERS || 5);

const otherKeys = second ? [second] : [];
const sandbox = await Sandbox.start({ apiKey, otherKeys, host, port, tls, users }).catch((error) => {
  if (error.code !== 'EADDRINUSE') throw error;
  process.stderr.write(`Port ${port} is taken: set SANDBOX_PORT to another one\n`);
  process.exit(1);
});
const folder = sandbox.ca && mkdtempSync(join(tmpdir(), 'sandbox-'));
if (folder) writeFileSync(join(folder, 'ca.pem'), sandbox.ca ?? '');
const curl = folder ? `curl --cacert ${folder}/ca.pem` : 'curl';
process.stdout.write(
  [
    `CometChat's stand-in answers at ${sandbox.baseUrl}`,
    ...(folder ? [`  trusted with        NODE_EXTRA_CA_CERTS=${folder}/ca.pem`] : []),
    `  users cometchat-uid-1 to -${users}, groups cometchat-guid-1 and project-group`,
    `  whose lists have the friends friend-01 to -${FRIENDS.length}, too`,
    `  what it was asked:  ${curl} ${sandbox.origin}/sandbox/calls`,
    `  a fault to play:    ${curl} -X PUT ${sandbox.origin}/sandbox/faults -d '[{"status":503,"times":2}]'`,
    `  the known ones:     ${curl} ${sandbox.origin}/sandbox/faults`,
    `  one of those:       ${curl} -X PUT '${sandbox.origin}/sandbox/faults/rate-limited-seconds?times=3'`,
    `  for reads alone:    ${curl} -X PUT '${sandbox.origin}/sandbox/faults/status-503?times=3&method=GET'`,
    `  nobody listens:     ${curl} -X PUT ${sandbox.origin}/sandbox/link -d '{"state":"refused","forMs":5000}'`,
    `  connects hang:      ${curl} -X PUT ${sandbox.origin}/sandbox/link -d '{"state":"hung","forMs":5000}'`,
    `  forget the calls:   ${curl} -X DELETE ${sandbox.origin}/sandbox`,
    '',
  ].join('\n'),
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    if (folder) rmSync(folder, { recursive: true });
    void sandbox.close();
  });
}
