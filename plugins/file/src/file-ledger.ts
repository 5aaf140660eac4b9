import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AttemptIdentity } from '@millrace/sdk';
import { PluginError } from '@millrace/sdk';
import { z } from 'zod';

const entry = z.object({
  key: z.string(),
  fence: z.string().regex(/^\d+$/),
  /** The run that was published; absent while an attempt is at work. */
  run: z.string().optional(),
  rows: z.int().default(0),
});
const ledger = z.array(entry);
type Entry = z.output<typeof entry>;

/** The folder of the ledger within a data source's root: no data, never listed. */
export const LEDGER_FOLDER = '.millrace';

const KEPT_ENTRIES = 100;

/**
 * What a file target remembers of its attempts: a small JSON file per target file. It keeps an older
 * attempt from replacing what a newer one wrote, and tells a run that it has been published already.
 */
export class FileLedger {
  readonly #file: string;
  readonly #identity: AttemptIdentity;

  constructor(root: string, path: string, identity: AttemptIdentity) {
    const name = createHash('sha256').update(path).digest('hex').slice(0, 32);
    this.#file = join(root, LEDGER_FOLDER, 'ledger', `${name}.json`);
    this.#identity = identity;
  }

  get #key(): string {
    const { installation, nodeId, scheduledTime } = this.#identity;
    return `${installation}/${nodeId}/${scheduledTime}`;
  }

  get #run(): string {
    return `${this.#identity.instanceId}:${this.#identity.runNumber}`;
  }

  async #entries(): Promise<Entry[]> {
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]';
      throw error;
    });
    return ledger.parse(JSON.parse(text));
  }

  /** The rows of this very run if it has been published; MR-D203 when a newer attempt has been here. */
  async publishedRows(): Promise<number | undefined> {
    const found = (await this.#entries()).find((each) => each.key === this.#key);
    if (found === undefined) return undefined;
    const { fence } = this.#identity;
    if (BigInt(found.fence) > BigInt(fence)) {
      const detail = `an attempt with fence ${found.fence} has been here; this one has ${fence}`;
      throw new PluginError('MR-D203', detail);
    }
    return found.run === this.#run ? found.rows : undefined;
  }

  /** Notes that this attempt is at work (without rows) or has published. */
  async note(published?: { readonly rows: number }): Promise<void> {
    const key = this.#key;
    const others = (await this.#entries()).filter((each) => each.key !== key);
    const own: Entry = {
      key,
      fence: this.#identity.fence,
      rows: published?.rows ?? 0,
      ...(published ? { run: this.#run } : {}),
    };
    const text = JSON.stringify([own, ...others].slice(0, KEPT_ENTRIES));
    await mkdir(dirname(this.#file), { recursive: true });
    const temporary = `${this.#file}.${this.#identity.instanceId}-${this.#identity.fence}`;
    await writeFile(temporary, text);
    await rename(temporary, this.#file);
  }
}
