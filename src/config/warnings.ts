import { itemsOf } from '../base/parse-list.ts';
import { isQuoted } from '../base/quotes.ts';
import { textOf } from './environment.ts';
import { misspeltVariables } from './misspelt.ts';
import type { Environment } from './variables.ts';

type Name = keyof Environment;

/** Variables that are not looked at where another one is set. */
const UNUSED_BESIDE: readonly [Name, readonly Name[]][] = [
  ['COMETCHAT_BASE_URL', ['COMETCHAT_APP_ID', 'COMETCHAT_REGION']],
  ['SESSION_STORE', ['SESSION_ISSUER', 'SESSION_AUDIENCE', 'SESSION_AUDIENCE_CLAIM']],
];

/** As undici and Node.js read them: the name in small letters goes first, though it may be empty. */
const proxiesIn = (environment: NodeJS.ProcessEnv): string[] =>
  [
    environment.https_proxy ?? environment.HTTPS_PROXY,
    environment.http_proxy ?? environment.HTTP_PROXY,
  ].filter((url) => url !== undefined && url !== '') as string[];

/**
 * @param environment as in `process.env`
 * @returns the addresses of the proxies that outgoing calls go through, without user and password
 */
export function proxiesInUse(environment: NodeJS.ProcessEnv): string[] {
  if (environment.NODE_USE_ENV_PROXY !== '1') return [];
  // Node.js itself does not start with one that is no URL.
  const urls = proxiesIn(environment).map((text) => new URL(text));
  return [...new Set(urls.map(({ protocol, host }) => `${protocol}//${host}`))];
}

/**
 * Finds what is allowed, and is hardly what somebody has meant.
 *
 * @param env the variables as far as they could be read
 * @param environment as in `process.env`
 * @returns a line for each variable, without its value
 */
export function warningsOf(env: Partial<Environment>, environment: NodeJS.ProcessEnv): string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (typeof value !== 'string') continue;
    if (isQuoted(value))
      found.push(`${name}: is in quotes, which are taken for a part of it; leave them out`);
    const hasLineBreak = itemsOf(value).some((item) => /[\r\n]/.test(item));
    if (hasLineBreak) found.push(`${name}: has a line break inside, which is taken for a part of it`);
  }
  for (const [used, unused] of UNUSED_BESIDE) {
    for (const name of unused) {
      if (env[used] !== undefined && textOf(environment[name]) !== undefined)
        found.push(`${name}: is not used beside ${used}`);
    }
  }
  if (env.REDIS_SENTINEL_PASSWORD !== undefined && !/^rediss?\+sentinel:/i.test(env.REDIS_URL ?? ''))
    found.push('REDIS_SENTINEL_PASSWORD: is not used, since REDIS_URL leads to no sentinel');
  const path = URL.parse(env.COMETCHAT_BASE_URL ?? '')?.pathname;
  if (path !== undefined && !/\/v3(?:\.\d+)?\/*$/.test(path)) {
    found.push(
      'COMETCHAT_BASE_URL: does not end with the version of the API, as in https://api.chat.example/v3',
    );
  }
  return [...found, ...proxyWarnings(environment), ...misspeltVariables(environment)];
}

function proxyWarnings(environment: NodeJS.ProcessEnv): string[] {
  const { NODE_USE_ENV_PROXY: use } = environment;
  const hasProxy = proxiesIn(environment).length > 0;
  if (use === '1')
    return hasProxy ? [] : ['NODE_USE_ENV_PROXY: is 1, but no HTTPS_PROXY or HTTP_PROXY is set'];
  if (use ? /^(?:0|false|no|off)$/i.test(use) : !hasProxy) return [];
  return [
    use
      ? 'NODE_USE_ENV_PROXY: is not 1, so that no call goes through a proxy'
      : 'NODE_USE_ENV_PROXY: is not set, so that no call goes through the proxy; set it to 1, or to 0 if that is right',
  ];
}
