import type { Test } from 'tap';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { API_KEY, SECRET } from './secrets.ts';

const all = Object.entries(EnvironmentSchema.properties);

/** The names of the variables that are secrets. */
export const SECRETS = all.filter(([, schema]) => schema.secret).map(([name]) => name);

const read = [...all.map(([name]) => name), ...SECRETS.map((name) => `${name}_FILE`)];

/** The variables of a Pod's or a container's environment that the gateway does not read. */
export const unknownIn = (environment: Record<string, string>): string[] =>
  Object.keys(environment).filter((name) => !read.includes(name));

/** The environment of a container in a Pod. */
export const variablesOf = ({ env }: { env: { name: string; value: string }[] }): Record<string, string> =>
  Object.fromEntries(env.map(({ name, value }) => [name, value]));

/** The environment of a Pod or a container, with its secrets in files of this machine. */
export function withSecretFiles(t: Test, environment: Record<string, string>): Record<string, string> {
  const files: Record<string, string> = {
    COMETCHAT_API_KEY_FILE: API_KEY,
    COMETCHAT_API_KEY_SECONDARY_FILE: '',
    SESSION_SECRET_FILE: SECRET,
    REDIS_URL_FILE: 'redis://redis.example',
  };
  const folder = t.testdir(files);
  const names = Object.keys(environment).filter((name) => name in files);
  return { ...environment, ...Object.fromEntries(names.map((name) => [name, `${folder}/${name}`])) };
}
