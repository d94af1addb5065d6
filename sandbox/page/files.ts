import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';

const ROOT = new URL('../../', import.meta.url);
/** The folders whose files the browser gets, and their addresses. The import map in index.html has the same addresses. */
const FOLDERS = [
  { at: '/page/', folder: 'sandbox/page/browser/', files: /\.(?:ts|css|svg)$/ },
  { at: '/page/client/', folder: 'client/src/', files: /\.ts$/ },
  { at: '/page/lit-html/', folder: 'node_modules/lit-html/', files: /^[a-z-]+\.js$/ },
  { at: '/page/lit-html/directives/', folder: 'node_modules/lit-html/directives/', files: /^[a-z-]+\.js$/ },
];
const TYPES: Readonly<Record<string, string>> = {
  '.ts': 'text/javascript; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8',
};

export interface PageFile {
  readonly type: string;
  readonly body: string;
}

/** The page's files by their addresses. An address is looked up, and never made into a path. */
export class PageFiles {
  readonly #files = new Map<string, URL>([['/', new URL('sandbox/page/browser/index.html', ROOT)]]);

  constructor() {
    for (const { at, folder, files } of FOLDERS) {
      const names = readdirSync(new URL(folder, ROOT)).filter((name) => files.test(name));
      for (const name of names) this.#files.set(at + name, new URL(folder + name, ROOT));
    }
  }

  get addresses(): string[] {
    return [...this.#files.keys()];
  }

  /** @returns the file as it is now, TypeScript without its types; undefined if there is none */
  get(address: string): PageFile | undefined {
    const url = this.#files.get(address);
    if (!url) return undefined;
    const extension = extname(url.pathname);
    const text = readFileSync(url, 'utf8');
    return { type: TYPES[extension] ?? '', body: extension === '.ts' ? stripTypes(text) : text };
  }
}

/** @returns the hashes of the inline scripts, for the Content-Security-Policy */
export function scriptHashes(html: string): string {
  const scripts = html.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g);
  const hashes = [...scripts].map(([, script = '']) => createHash('sha256').update(script).digest('base64'));
  return hashes.map((hash) => `'sha256-${hash}'`).join(' ');
}

/** Node.js warns that the function is experimental. The whole project runs with its types stripped, so the warning is no news. */
function stripTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
