import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withMark } from './appended-path.js';
import { fileState } from './file-ledger.js';

const NO = 1234;

/** The files that the rows of a run end in: the target itself, or its parts beside each other. */
export class TargetFiles {
  readonly folder: string;
  readonly #name: string;
  readonly #isInParts: boolean;

  constructor(full: string, isInParts: boolean) {
    this.folder = dirname(full);
    this.#name = basename(full);
    this.#isInParts = isInParts;
  }

  /** Of the parts from 0. */
  nameOf(no: number): string {
    return this.#isInParts
      ? withMark(this.#name, `-${String(no + 1).padStart(4, '0')}`)
      : this.#name;
  }

  /** Which of them are there, in the words of the ledger. */
  async there(): Promise<readonly string[]> {
    const names = this.#isInParts
      ? (await namesIn(this.folder)).filter((name) => this.#isPart(name))
      : [this.#name];
    const files = names.toSorted().map(async (name) => {
      const state = await fileState(join(this.folder, name));
      return state === undefined ? [] : [ledgerLine(name, state)];
    });
    return (await Promise.all(files)).flat();
  }

  #isPart(name: string): boolean {
    const at = withMark(this.#name, `-${NO}`).lastIndexOf(`-${NO}`) + 1;
    const no = name.slice(at, at + 4);
    return /^\d{4}$/.test(no) && name === this.nameOf(Number(no) - 1);
  }
}

/** A file of that name, and that nobody has written to it since. */
export function ledgerLine(name: string, state: string): string {
  return `${state} ${name}`;
}

export function nameInLine(line: string): string {
  return line.slice(line.indexOf(' ') + 1);
}

/** None where the folder was not made yet. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}
