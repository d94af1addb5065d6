import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Results } from './results.ts';

/** @returns what it ran on */
export const machine = (): Results['machine'] => [
  ['Processor', `${os.cpus()[0]?.model.trim()}, ${os.cpus().length} of its cores; two are used`],
  ['Memory', `${Math.round(os.totalmem() / 2 ** 30)} GiB`],
  ['System', `${os.type()} ${os.release()}, ${os.arch()}`],
  ['Node.js', process.versions.node],
];

const PEERS = [
  '@fastify/reply-from',
  'hono',
  '@hono/node-server',
  'jose',
  'express',
  'axios',
  'jsonwebtoken',
];
const OURS = ['fastify', 'got', 'undici', 'jose', 'ioredis'];

/** @returns the version of everything that was measured, or measured with */
export const versions = (): Results['versions'] => [
  ...PEERS.map((name) => [`peer: ${name}`, versionOf('bench/node_modules', name)] as const),
  ...OURS.filter(isDependency).map((name) => [`gateway: ${name}`, versionOf('node_modules', name)] as const),
  ['load: undici', versionOf('node_modules', 'undici')],
  ...programVersion('nginx', ['-v'], /nginx\/(\S+)/),
  ...programVersion('redis-server', ['--version'], /v=(\S+)/),
];

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const isDependency = (name: string): boolean => name in dependencies;

const versionOf = (folder: string, name: string): string =>
  JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')).version;

function programVersion(name: string, args: string[], pattern: RegExp): [string, string][] {
  if (!isInstalled(name)) return [];
  // nginx says it on stderr.
  const said = execFileSync('sh', ['-c', `${name} ${args.join(' ')} 2>&1`], { encoding: 'utf8' });
  return [[name, pattern.exec(said)?.[1] ?? 'unknown']];
}

/** Whether a program can be run here. */
export function isInstalled(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`]);
    return true;
  } catch {
    return false;
  }
}
