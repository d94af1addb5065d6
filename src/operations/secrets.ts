import { unwatchFile, watchFile } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import type { Rotating } from '../base/rotating.ts';
import type { Metrics } from '../base/services.ts';

/** A stat a file: Kubernetes and others swap links, of which a watch on the file itself would hear nothing. */
const LOOK_EVERY_MS = 1000;

/** What the log says of a line of `warnings`. */
export const WARNED = 'a variable may not be as it was meant';

export interface Secrets {
  /** What the variables of secrets say, by their names. */
  readonly variables: Rotating<Readonly<Record<string, unknown>>>;
  /** What is made of them for the rooms: the secrets that may be replaced while the process runs. */
  readonly rotating: Readonly<Record<string, Rotating<unknown>>>;
  /** All values that no line of the log may hold. */
  readonly log: { readonly secrets: Rotating<readonly string[]> };
  /** What is hardly meant so, a line each. */
  readonly warnings: readonly string[];
}

interface RotationOptions {
  readonly metrics: Metrics;
  /** The secrets in use, which are replaced in place. */
  readonly current: Secrets;
  readonly files: readonly string[];
  /** Reads all secrets again. @returns them, or the faults that make them unfit to start with */
  readonly reload: () => Secrets | { readonly faults: readonly string[] };
}

/**
 * Reads the secrets again, all of them, whenever one of their files has changed, and on SIGHUP. Secrets that are not fit to
 * start with replace none.
 */
export function rotateSecrets(
  app: FastifyInstance,
  { metrics, current, files, reload }: RotationOptions,
): void {
  const reloads = metrics.counter('secret_reloads_total', 'Times that the secrets were read again', {
    result: ['ok', 'failed'],
  });
  const stale = metrics.gauge(
    'secrets_stale',
    '1 while the old secrets stay in use because the files are not fit to be',
  );
  let isStale = false;
  const warned = new Set(current.warnings);
  const renew = (isAsked: boolean) => {
    const fresh = reload();
    const isFit = !('faults' in fresh);
    reloads.inc({ result: isFit ? 'ok' : 'failed' });
    stale.set(isFit ? 0 : 1);
    if (isFit) {
      const changed = replace(current, fresh);
      if (changed.length > 0) app.log.info({ changed }, 'the secrets have been replaced');
      else app.log[isAsked || isStale ? 'info' : 'debug']('the secrets were read again: they are as before');
      for (const warning of new Set(fresh.warnings).difference(warned)) {
        app.log.warn({ warning }, WARNED);
        warned.add(warning);
      }
    } else {
      app.log.error({ faults: fresh.faults }, 'the secrets cannot be read again: the old ones stay in use');
    }
    isStale = !isFit;
  };
  const onChange = () => renew(false);
  const onSignal = () => renew(true);
  for (const file of files) watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, onChange);
  // A file that was replaced between the start and the first look at it has not changed since that look.
  const first = setTimeout(onChange, LOOK_EVERY_MS).unref();
  process.on('SIGHUP', onSignal);
  app.addHook('onClose', async () => {
    for (const file of files) unwatchFile(file, onChange);
    clearTimeout(first);
    process.off('SIGHUP', onSignal);
  });
}

/** @returns the names of the variables that say something else */
function replace(current: Secrets, fresh: Secrets): string[] {
  const [before, after] = [current.variables.current, fresh.variables.current];
  const changed = Object.keys(after).filter((name) => !isDeepStrictEqual(before[name], after[name]));
  // First of all, so that no line can hold one of the new ones. The old ones may still come back in errors.
  const { secrets } = current.log;
  secrets.current = [...new Set([...secrets.current, ...fresh.log.secrets.current])];
  current.variables.current = after;
  for (const [name, secret] of Object.entries(current.rotating)) {
    const next = fresh.rotating[name]?.current;
    // One that is as before keeps what was made of it.
    if (!isDeepStrictEqual(secret.current, next)) secret.current = next;
  }
  return changed;
}
