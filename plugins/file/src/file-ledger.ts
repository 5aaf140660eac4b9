import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
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
  /** Those that this key has put in the place of the target, or was about to. */
  files: z.array(z.string()).default([]),
  /** Was about to be published, or is by half: its files take their places one after the other. */
  intended: z
    .object({
      run: z.string(),
      rows: z.int(),
      moves: z.array(z.object({ from: z.string(), to: z.string(), line: z.string() })),
    })
    .optional(),
});
const ledger = z.array(entry);
type Entry = z.output<typeof entry>;
export type Intended = NonNullable<Entry['intended']>;
/** A finished file and the name that it is to have, within one folder; `line`: what it is then. */
export type Move = Intended['moves'][number];

/** The folder of the ledger within a data source's root: no data, never listed. */
export const LEDGER_FOLDER = '.millrace';

const KEPT_ENTRIES = 100;

/** Which file it is, and that nobody has written to it since; `undefined`: there is none. Renaming changes nothing. */
export async function fileState(file: string): Promise<string | undefined> {
  const found = await stat(file, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return found && `${found.ino}:${found.size}:${found.mtimeNs}`;
}

/** Of an instance whatever its attempt: a rerun has the same one. */
export function ledgerKey({ installation, nodeId, scheduledTime }: AttemptIdentity): string {
  return `${installation}/${nodeId}/${scheduledTime}`;
}

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

  get #run(): string {
    return `${this.#identity.instanceId}:${this.#identity.runNumber}`;
  }

  /** Its rows if this very run has been published; MR-D203 when a newer attempt has been here. */
  async publishedRows(): Promise<number | undefined> {
    const { own } = await this.#read();
    return own?.run === this.#run ? own.rows : undefined;
  }

  /** Is it this instance that has put these files there? */
  async hasPut(there: readonly string[]): Promise<boolean> {
    const { own } = await this.#read();
    return there.every((line) => own?.files.includes(line) === true);
  }

  /** What anybody has put in the place of this target. */
  async known(): Promise<ReadonlySet<string>> {
    const { own, others } = await this.#read();
    return new Set([...(own?.files ?? []), ...others.flatMap(({ files }) => files)]);
  }

  /** What an attempt of this instance has begun to publish, or was about to. */
  async unfinished(): Promise<(Intended & { readonly isOfThisRun: boolean }) | undefined> {
    const { own } = await this.#read();
    const { intended } = own ?? {};
    return intended && { ...intended, isOfThisRun: intended.run === this.#run };
  }

  /** Notes that this attempt is at work. */
  async begin(): Promise<void> {
    await this.#note((own) => ({ rows: 0, files: own?.files ?? [] }));
  }

  /** Notes, before they take the place of what is `there`, which files will publish the run. */
  async intend(moves: readonly Move[], rows: number, there: readonly string[]): Promise<Intended> {
    const intended = { run: this.#run, rows, moves: [...moves] };
    await this.#note((own) => {
      const before = own?.files.filter((line) => there.includes(line)) ?? [];
      return { rows: 0, files: [...moves.map(({ line }) => line), ...before], intended };
    });
    return intended;
  }

  async published({ run, rows }: Intended, files: readonly string[]): Promise<void> {
    await this.#note(() => ({ run, rows, files: [...files] }));
  }

  async #read(): Promise<{ readonly own: Entry | undefined; readonly others: readonly Entry[] }> {
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]';
      throw error;
    });
    const entries = ledger.parse(JSON.parse(text));
    const key = ledgerKey(this.#identity);
    const own = entries.find((each) => each.key === key);
    const { fence } = this.#identity;
    if (own !== undefined && BigInt(own.fence) > BigInt(fence)) {
      const detail = `an attempt with fence ${own.fence} has been here; this one has ${fence}`;
      throw new PluginError('MR-D203', detail);
    }
    return { own, others: entries.filter((each) => each.key !== key) };
  }

  async #note(makeEntry: (own: Entry | undefined) => Omit<Entry, 'key' | 'fence'>): Promise<void> {
    const { own, others } = await this.#read();
    const { fence, instanceId } = this.#identity;
    const next: Entry = { key: ledgerKey(this.#identity), fence, ...makeEntry(own) };
    const text = JSON.stringify([next, ...others].slice(0, KEPT_ENTRIES));
    await mkdir(dirname(this.#file), { recursive: true });
    const temporary = `${this.#file}.${instanceId}-${fence}`;
    await writeFile(temporary, text);
    await rename(temporary, this.#file);
  }
}
