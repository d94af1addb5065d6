// npm run openapi: writes openapi.yaml from the schemas of the routes; with --check, tells whether it is current.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import swagger from '@fastify/swagger';
import { fastify } from 'fastify';
import { stringify } from 'yaml';
import { gateway, serverOptions } from '../src/app.ts';
import { loadConfig } from '../src/config/config.ts';
import { createLog } from '../src/operations/log.ts';

const FILE = new URL('../openapi.yaml', import.meta.url);
const HEADER = '# Written by `npm run openapi` from the schemas of the routes. Do not edit.\n';

const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const config = loadConfig({
  COMETCHAT_BASE_URL: 'http://127.0.0.1',
  COMETCHAT_API_KEY: 'none',
  SESSION_SECRET: 'n'.repeat(32),
  SESSION_ISSUER: 'none',
  SESSION_AUDIENCE: 'none',
  LOG_LEVEL: 'silent',
});
/** What a browser's page has to send with a cookie: see session/csrf.ts. The gateway looks at it there, not by a schema. */
const cookieHeaders = {
  headers: {
    type: 'object',
    properties: {
      'X-Requested-With': {
        type: 'string',
        minLength: 1,
        description: 'Needed with a session cookie, with any value. A request with a bearer token needs none',
        examples: ['fetch'],
      },
    },
  },
};
const app = fastify({ ...serverOptions(createLog(config.log, { write() {} }), []), exposeHeadRoutes: false });
await app.register(swagger, {
  transform: ({ schema, url }) => ({ schema: { ...schema, ...(!schema.security && cookieHeaders) }, url }),
  refResolver: { buildLocalReference: ({ $id }) => String($id) },
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'CometChat gateway',
      version,
      description:
        'What mobile and web apps call instead of CometChat where a call needs the REST API key. Every error is a problem of RFC 9457; programs decide by its `code`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      {
        url: 'https://{host}',
        description: 'Wherever the gateway runs',
        variables: {
          host: { default: 'chat-gateway.example.com', description: 'Host, and port if it is not 443' },
        },
      },
    ],
    tags: [
      { name: 'conversations', description: 'The conversations of the signed-in user' },
      { name: 'operations', description: 'For load balancers and orchestrators' },
    ],
    security: [{ session: [] }, { sessionCookie: [] }],
    components: {
      securitySchemes: {
        session: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'The session token of the company’s own sign-in: a JWT with `iss`, `aud` and `exp`, or an opaque one.',
        },
        sessionCookie: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-session',
          description:
            'The same token in the cookie that `SESSION_COOKIE` names, if it names one. Such a request also needs the header `X-Requested-With`, with any value, and to come from a page of the gateway’s own origin or of one in `CORS_ORIGINS`.',
        },
      },
    },
  },
});
await app.register(gateway, config);
await app.ready();
const document = app.swagger() as Components;
commaLists(document);
const text = HEADER + stringify(nameComponents(document), { strict: false });
await app.close();

if (!check) {
  writeFileSync(FILE, text);
} else if (readFileSync(FILE, 'utf8') !== text) {
  process.stderr.write('openapi.yaml is not what the schemas say; run `npm run openapi`\n');
  process.exitCode = 1;
}

interface Components {
  components: { schemas: Record<string, unknown>; headers?: Record<string, unknown> };
  paths: Record<string, Record<string, { parameters?: { schema: { type?: unknown } }[] }>>;
}

/** Says how lists are written in a query: `tags=a,b`. */
function commaLists({ paths }: Components): void {
  for (const path of Object.values(paths)) {
    for (const { parameters = [] } of Object.values(path)) {
      for (const parameter of parameters) {
        if (parameter.schema.type === 'array') Object.assign(parameter, { style: 'form', explode: false });
      }
    }
  }
}

/** Gives every schema with a title, and every header field, a name of its own, which generators make types of. */
function nameComponents(document: Components): Components {
  const schemas: Record<string, unknown> = {};
  const headers: Record<string, unknown> = {};
  const visit = (node: unknown): unknown => {
    const copy = inside(node) as { title?: unknown; type?: unknown; $ref?: unknown };
    // A problem has a title, too, but no schema's type.
    if (typeof copy?.title !== 'string' || copy.type !== 'object') return copy;
    schemas[copy.title] = copy;
    return { $ref: `#/components/schemas/${copy.title}` };
  };
  const inside = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(visit);
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(
      Object.entries(node).map(([key, value]) => [key, key === 'headers' ? named(value) : visit(value)]),
    );
  };
  const named = (fields: Record<string, unknown>) => {
    Object.assign(headers, fields);
    return Object.fromEntries(
      Object.keys(fields).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
    );
  };
  const paths = inside(document.paths) as Components['paths'];
  for (const schema of Object.values(document.components.schemas)) visit(schema);
  return { ...document, components: { ...document.components, schemas, headers }, paths };
}
