import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunContext } from '@millrace/sdk';
import type { FileLedger, Intended } from './file-ledger.js';
import { fileState } from './file-ledger.js';
import type { TargetFiles } from './target-files.js';
import { ledgerLine, nameInLine } from './target-files.js';

/** Gives finished files the names of the target, one after the other; a later attempt goes on where one ended. */
export class FilePublisher {
  readonly #files: TargetFiles;
  readonly #ledger: FileLedger;
  readonly #ctx: Pick<RunContext, 'crashPoint' | 'log'>;

  constructor(files: TargetFiles, ledger: FileLedger, ctx: Pick<RunContext, 'crashPoint' | 'log'>) {
    this.#files = files;
    this.#ledger = ledger;
    this.#ctx = ctx;
  }

  /** What an attempt before has begun to publish, or was about to: of this run, or by half of an older one. */
  async finishOlder(): Promise<void> {
    const unfinished = await this.#ledger.unfinished();
    if (unfinished !== undefined && (await this.#canFinish(unfinished))) {
      await this.finish(unfinished);
    }
  }

  /** Is every file of it in its place, or ready to take it? */
  async #canFinish({
    moves,
    isOfThisRun,
  }: Intended & { readonly isOfThisRun: boolean }): Promise<boolean> {
    const there = await this.#files.there();
    const waiting = moves.filter(({ line }) => !there.includes(line));
    if (!isOfThisRun && waiting.length === moves.length) return false;
    for (const { from, to, line } of waiting) {
      const state = await fileState(join(this.#files.folder, from));
      if (state === undefined || ledgerLine(to, state) !== line) return false;
    }
    return true;
  }

  /** Parts of older runs that none of the files replaces go. */
  async finish(intended: Intended): Promise<void> {
    const { folder } = this.#files;
    const before = await this.#files.there();
    for (const { from, to, line } of intended.moves) {
      if (before.includes(line)) continue;
      await rename(join(folder, from), join(folder, to));
      await this.#ctx.crashPoint('writer:file-renamed');
    }
    const names = new Set(intended.moves.map(({ to }) => to));
    const known = await this.#ledger.known();
    for (const line of before.filter((each) => !names.has(nameInLine(each)))) {
      const name = nameInLine(line);
      if (known.has(line)) await rm(join(folder, name), { force: true });
      else this.#ctx.log.warn(`${name} stays: no run has made it as it is`);
    }
    await this.#ctx.crashPoint('writer:before-ledger');
    // Some file systems rename by copying.
    const there = await this.#files.there();
    await this.#ledger.published(
      intended,
      there.filter((line) => names.has(nameInLine(line))),
    );
  }
}
