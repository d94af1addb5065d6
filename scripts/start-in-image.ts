// The image's entry: starts the gateway with the code that was compiled when the image was made, as any user. Node.js looks for
// compiled code in a folder that ends with the user's id. Kubernetes and OpenShift choose that id, and the image is read-only: so a
// link of that name is made in memory, and removed when all code is loaded.
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const COMPILED = join(import.meta.dirname, '../.compile-cache');
/** Container runtimes let any user write to the first, though the root is read-only. */
const WRITABLE = ['/dev/shm', tmpdir()];

// None while the image is made: then this process is what fills the folder.
const [compiled = ''] = readdirSync(COMPILED);
const own = compiled.replace(/\d+$/, String(process.getuid?.()));
const links: string[] = [];
const removeLinks = () => {
  for (const folder of links) rmSync(folder, { recursive: true, force: true });
};

if (own === compiled) enableCompileCache(COMPILED);
else link();
// The gateway may end while it loads, and says why.
process.once('exit', removeLinks);
await import('../src/main.ts');
removeLinks();

/** Where no folder can be written to, the gateway starts all the same, but slower. */
function link(): void {
  for (const place of WRITABLE) {
    try {
      // Nobody else can write to it, or know its name.
      const folder = mkdtempSync(join(place, 'gateway-'));
      links.push(folder);
      symlinkSync(join(COMPILED, compiled), join(folder, own));
      enableCompileCache(folder);
      return;
    } catch {}
  }
}
