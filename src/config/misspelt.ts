import leven from 'leven';
import { textOf } from './environment.ts';
import { EnvironmentSchema } from './variables.ts';

const properties = Object.entries(EnvironmentSchema.properties) as [string, { secret?: true }][];
/** All names that are read. */
const KNOWN = new Set(properties.flatMap(([name, { secret }]) => (secret ? [name, `${name}_FILE`] : [name])));
/** OpenTelemetry's SDK reads others that are like these, and much is like a short word. */
const TARGETS = [...KNOWN]
  .filter((name) => name.includes('_') && !name.startsWith('OTEL_'))
  .map((name) => ({ name, letters: lettersOf(name) }));

/** Whatever begins so is meant for the gateway. */
const OURS =
  /^(?:COMETCHAT|RATE_?LIMIT|ON_?BEHALF|TRUSTED_PROX|(?:SESSION|CORS|UID|TRUST|HSTS|SHUTDOWN)_(?!MANAGER$))/;
/** What Kubernetes sets for each Service, and OpenTelemetry's. The first are also known by their value. */
const PLATFORMS =
  /_SERVICE_(?:HOST|PORT(?:_\w+)?)$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$|^OTEL_/;
const ADDRESS_OF_SERVICE = /^(?:tcp|udp|sctp):\/\//;

/**
 * Finds variables that are meant for the gateway, and are not read.
 *
 * @param environment as in `process.env`
 * @returns a line for each, with the name that is most like it, and without its value
 */
export function misspeltVariables(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    const text = textOf(value);
    if (!text || KNOWN.has(name) || PLATFORMS.test(name) || ADDRESS_OF_SERVICE.test(text)) return [];
    const base = name.replace(/_FILE$/, '');
    if (KNOWN.has(base)) return [`${name}: is not read, since only secrets come as files; set ${base}`];
    const nearest = nearestTo(name);
    return nearest ? [`${name}: is no variable of the gateway; the nearest is ${nearest}`] : [];
  });
}

/** The known name that is most like this one; undefined where it is nothing of ours. */
function nearestTo(name: string): string | undefined {
  const isOurs = OURS.test(name.toUpperCase());
  const letters = lettersOf(name);
  const isFile = /_?FILES?$/i.test(name);
  const likely = TARGETS.filter((target) => target.name.endsWith('_FILE') === isFile).flatMap((target) => {
    const most = isOurs ? Number.POSITIVE_INFINITY : Math.floor(target.letters.length / 5);
    const slips = leven(letters, target.letters, { maxDistance: most + 1 });
    // Who writes too little or too much begins alike: RATE_LIMIT is like RATE_LIMIT_PER_MINUTE. Or the words are right.
    const likeness = sameBeginning(letters, target.letters) + 4 * sameWords(name, target.name);
    return slips > most ? [] : { name: target.name, cost: slips - likeness };
  });
  return likely.sort((a, b) => a.cost - b.cost)[0]?.name;
}

function lettersOf(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '');
}

function sameWords(a: string, b: string): number {
  const words = b.split('_');
  return a
    .toUpperCase()
    .split('_')
    .filter((word) => words.includes(word)).length;
}

function sameBeginning(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
