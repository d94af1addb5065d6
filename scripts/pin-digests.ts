// npm run pin-digests: for a release. Asks Docker Hub for the digest of every image with a tag in Dockerfile and
// docker-compose.yml, and writes it there: `node:26.10.0-slim@sha256:...`. REGISTRY_URL names another registry.
import { readFileSync, writeFileSync } from 'node:fs';

const REGISTRY = process.env.REGISTRY_URL ?? 'https://registry-1.docker.io';
const FILES = ['Dockerfile', 'docker-compose.yml'];
/** What stands before the image, the image with its tag, and the digest that it may have. Stages and our own images have no tag. */
const IMAGE = /^( *(?:FROM|image:) )([\w./-]+:[\w.-]+)(@\S+)?/gm;
/** Lists of images, one for each platform. The digest of a single image would be wrong on the other platforms. */
const LISTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

try {
  const texts = FILES.map((file) => readFileSync(file, 'utf8'));
  const images = new Set(texts.flatMap((text) => [...text.matchAll(IMAGE)].map(([, , image = '']) => image)));
  const digests = new Map<string, string>();
  for (const image of images) digests.set(image, await digestOf(image));
  // Only now, when all of them are known.
  for (const [index, file] of FILES.entries()) {
    const pin = (_: string, before: string, image: string) => `${before}${image}@${digests.get(image)}`;
    writeFileSync(file, String(texts[index]).replace(IMAGE, pin));
  }
  for (const [image, digest] of digests) console.log(`${image}@${digest}`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function digestOf(image: string): Promise<string> {
  const [path = '', tag = ''] = image.split(':');
  if (/[.].*\//.test(path)) throw new Error(`${image}: is not on Docker Hub`);
  const repository = path.includes('/') ? path : `library/${path}`;
  const url = `${REGISTRY}/v2/${repository}/manifests/${tag}`;
  const ask = (authorization: Record<string, string>) =>
    fetch(url, { method: 'HEAD', headers: { accept: LISTS.join(', '), ...authorization } }).catch((error) => {
      throw new Error(`${url} cannot be reached: ${error.cause}`);
    });
  let answer = await ask({});
  if (answer.status === 401) answer = await ask(await authorization(answer));
  const digest = answer.headers.get('docker-content-digest') ?? '';
  const type = answer.headers.get('content-type') ?? '';
  if (!answer.ok) throw new Error(`${image}: ${url} answered ${answer.status}`);
  if (!LISTS.includes(type)) throw new Error(`${image}: ${url} answered with no list of platforms: ${type}`);
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new Error(`${image}: ${url} answered with no digest: ${digest}`);
  return digest;
}

/** Gets the token for which the registry has asked: `Bearer realm="https://auth.example/token",service="...",scope="..."`. */
async function authorization(refusal: Response): Promise<Record<string, string>> {
  const challenge = String(refusal.headers.get('www-authenticate'));
  const { realm, ...query } = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  if (!realm) throw new Error(`${refusal.url} asked for no token: ${challenge}`);
  const answer = await fetch(`${realm}?${new URLSearchParams(query)}`);
  if (!answer.ok) throw new Error(`${realm} answered ${answer.status}`);
  const { token } = (await answer.json()) as { token: string };
  return { authorization: `Bearer ${token}` };
}
