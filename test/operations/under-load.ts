import type { Test } from 'tap';
import { countsAt } from '../helpers/metrics.ts';
import { startProcess } from '../helpers/process.ts';
import { SecretVolume } from '../helpers/secret-volume.ts';
import { SECRET } from '../helpers/secrets.ts';
import { sign } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

/** A gateway in a process of its own with these secrets in files, and users who call all the time. */
export async function underLoad(t: Test, secrets: Record<string, string>) {
  const volume = new SecretVolume(t, secrets);
  /** Writes these secrets; the others stay as they are. */
  const write = (some: Record<string, string>) => volume.write(Object.assign(secrets, some));
  const gateway = await startProcess(t, { ...volume.env(), RATE_LIMIT_PER_MINUTE: '1000000' });
  const { child, call, metrics } = gateway;
  const load = { secret: SECRET, sent: 0, failed: [] as number[], isOver: false };
  const user = async (number: number) => {
    while (!load.isOver) {
      const token = await sign({ sub: `cometchat-uid-${number}` }, { secret: load.secret });
      const body = { tags: [`${load.sent}`], conversationWith: 'cometchat-uid-5' };
      const { status } = await call(body, token);
      load.sent += 1;
      if (status !== 200) load.failed.push(status);
    }
  };
  const users = [1, 2, 3].map(user);
  return {
    ...gateway,
    load,
    async end() {
      load.isOver = true;
      await Promise.all(users);
      child.process.kill('SIGTERM');
      return child.exit();
    },
    write,
    /** Writes these secrets, has all files read again, and waits for what the log says of it. */
    async signal(line: RegExp, some: Record<string, string> = {}): Promise<Record<string, unknown>> {
      const before = child.stdout.length;
      write(some);
      child.process.kill('SIGHUP');
      const [said] = await child.says(new RegExp(`(?<=^[\\s\\S]{${before},})\\{.*${line.source}.*`));
      return JSON.parse(said);
    },
    metric: async (name: string) => (await countsAt(metrics))[name],
    /** Waits until so many more calls were made, and checks that none of all has failed. */
    async goesOn(t: Test) {
      const enough = load.sent + 20;
      await until('20 more calls', () => load.sent >= enough);
      t.strictSame(load.failed, [], 'no call has failed');
    },
  };
}
