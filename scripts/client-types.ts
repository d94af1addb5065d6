// Writes client/src/api.ts from the schemas of openapi.yaml; with --check, tells whether it is current.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';

const root = new URL('../', import.meta.url);
const FILE = new URL('client/src/api.ts', root);
const HEADER = '// Written by `npm run openapi` from openapi.yaml. Do not edit.\n';

/** As much of JSON Schema as openapi.yaml has. */
interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly (string | number | boolean)[];
  readonly type?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
}

const SIMPLE: Readonly<Record<string, string>> = { string: 'string', integer: 'number', boolean: 'boolean' };

function typeOf(schema: Schema): string {
  if (schema.$ref) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ');
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.items) return schema.items.anyOf ? `(${typeOf(schema.items)})[]` : `${typeOf(schema.items)}[]`;
  const simple = SIMPLE[schema.type ?? ''];
  if (!simple) throw new Error(`client-types.ts does not know this schema: ${JSON.stringify(schema)}`);
  return simple;
}

const comment = ({ description }: Schema): string => (description ? `/** ${description} */\n` : '');

function interfaceOf([name, schema]: [string, Schema]): string {
  const members = Object.entries(schema.properties ?? {}).map(([key, property]) => {
    const mark = schema.required?.includes(key) ? '' : '?';
    return `${comment(property)}${key}${mark}: ${typeOf(property)};\n`;
  });
  return `${comment(schema)}export interface ${name} {\n${members.join('')}}\n`;
}

/** The replies of the probes, which apps do not ask. */
const { Live, Ready, ...schemas } = parse(readFileSync(new URL('openapi.yaml', root), 'utf8')).components
  .schemas as Record<string, Schema>;
const { stdout, stderr, status } = spawnSync(
  fileURLToPath(new URL('node_modules/.bin/biome', root)),
  ['format', `--stdin-file-path=${fileURLToPath(FILE)}`],
  {
    cwd: fileURLToPath(root),
    encoding: 'utf8',
    input: [HEADER, ...Object.entries(schemas).map(interfaceOf)].join('\n'),
  },
);
if (status !== 0) throw new Error(stderr);

const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;
if (!check) {
  writeFileSync(FILE, stdout);
} else if (readFileSync(FILE, 'utf8') !== stdout) {
  process.stderr.write('client/src/api.ts is not what openapi.yaml says; run `npm run openapi`\n');
  process.exitCode = 1;
}
