import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

// biome-ignore lint/suspicious/noExplicitAny: an object of Kubernetes, whose schema is checked at run time.
export type Manifest = any;

const folderOf = (name: string) => fileURLToPath(new URL(`../../deploy/kubernetes/${name}`, import.meta.url));

export const BASE = folderOf('base');
export const PRODUCTION = folderOf('overlays/production');

/** The objects that the kustomization in this folder makes. Of kustomize's programs the tests use kubectl. */
export async function build(folder: string): Promise<Manifest[]> {
  const { stdout } = await promisify(execFile)('kubectl', ['kustomize', folder]);
  return parseAllDocuments(stdout).map((document) => document.toJS());
}

/** The object of this kind that has this name. */
export function find(objects: Manifest[], kind: string, name = 'cometchat-gateway'): Manifest {
  return objects.find((object) => object.kind === kind && object.metadata.name === name);
}

/** What is wrong with an object by the schema of its kind, fields that the schema does not have included. */
export async function schemaFaults(object: Manifest): Promise<string[]> {
  const { apiVersion, kind } = object;
  const models = apiVersion.startsWith('monitoring.coreos.com/')
    ? '@kubernetes-models/prometheus-operator'
    : 'kubernetes-models';
  const { [kind]: Model } = await import(`${models}/${apiVersion}/${kind}`);
  const unread: string[] = [];
  const check = (): string[] => {
    try {
      Model.prototype.validate.call(watched(object, '', unread));
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  };
  return [...check(), ...unread.map((path) => `${path} is unknown`)];
}

/**
 * An object that keeps in `unread` the paths of its fields until they are read. These schemas allow fields that they do not
 * have, as JSON Schema does, and read only those that they have.
 */
function watched<T extends object>(object: T, path: string, unread: string[]): T {
  const pathOf = (key: string) => `${path}/${key}`;
  unread.push(...Object.keys(object).map(pathOf));
  const children = new Map(
    Object.entries(object)
      .filter(([, value]) => typeof value === 'object' && value !== null)
      .map(([key, value]) => [key, watched(value, pathOf(key), unread)]),
  );
  return new Proxy(object, {
    get(target, key, receiver) {
      const index = unread.indexOf(pathOf(String(key)));
      if (index >= 0) unread.splice(index, 1);
      return children.get(String(key)) ?? Reflect.get(target, key, receiver);
    },
  });
}
