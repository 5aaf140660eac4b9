import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where run logs lie after their attempt has ended: one object for each attempt. */
export interface LogStore {
  /** Writes an object whole or not at all; writing the same one again is allowed. */
  write(key: string, parts: readonly Uint8Array[]): Promise<void>;
  /** `undefined` when the object is not there. */
  read(key: string, offset: number, length: number): Promise<Buffer | undefined>;
  /** The plan days of which there are objects, in order. */
  days(): Promise<string[]>;
  /** Removes all objects of a plan day. */
  removeDay(planDay: string): Promise<void>;
}

/** The object of one attempt's run log. */
export function logKeyOf(planDay: string, instanceId: number, epoch: number): string {
  return `${planDay}/${instanceId}-${epoch}.log.gz`;
}

/** Objects as files of one folder, which all processes with the roles api and scheduler must see. */
export class FolderLogStore implements LogStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async write(key: string, parts: readonly Uint8Array[]): Promise<void> {
    const path = join(this.#folder, key);
    const draft = `${path}.${process.pid}.part`;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      const file = await open(draft, 'w', 0o600);
      try {
        for (const part of parts) await file.write(part);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  async read(key: string, offset: number, length: number): Promise<Buffer | undefined> {
    const file = await open(join(this.#folder, key), 'r').catch((error: unknown) => {
      if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT')
        return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    try {
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await file.read(buffer, 0, length, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  async days(): Promise<string[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    return (await readdir(this.#folder)).filter((name) => /^\d{4}-\d{2}-\d{2}$/.test(name)).sort();
  }

  async removeDay(planDay: string): Promise<void> {
    await rm(join(this.#folder, planDay), { recursive: true, force: true });
  }
}
