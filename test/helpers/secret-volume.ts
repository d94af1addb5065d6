import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { planted } from './secrets.ts';

/** Secrets as Kubernetes mounts them: every file is a link into a folder, and all change at once when that is swapped. */
export class SecretVolume {
  readonly #root: string;
  readonly #names: readonly string[];
  #version = 0;

  constructor(t: Test, secrets: Record<string, string>) {
    this.#root = t.testdir({});
    this.write(secrets);
    this.#names = Object.keys(secrets);
    for (const name of this.#names) symlinkSync(join('..data', name), join(this.#root, name));
  }

  /** The variables that name the files. */
  env(): Record<string, string | undefined> {
    return Object.fromEntries(
      this.#names.flatMap((name) => [
        [name, undefined],
        [`${name}_FILE`, join(this.#root, name)],
      ]),
    );
  }

  write(secrets: Record<string, string>): void {
    this.#version += 1;
    const folder = `..version_${this.#version}`;
    mkdirSync(join(this.#root, folder));
    for (const [name, secret] of Object.entries(secrets)) {
      if (secret !== '') planted.add(secret);
      writeFileSync(join(this.#root, folder, name), `${secret}\n`);
    }
    symlinkSync(folder, join(this.#root, '..data_tmp'));
    renameSync(join(this.#root, '..data_tmp'), join(this.#root, '..data'));
  }
}
