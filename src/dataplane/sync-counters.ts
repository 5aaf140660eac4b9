import type { FinalizeStats, RunContext } from '@millrace/sdk';

const REPORT_EVERY_MS = 250;

/** The counters of one run: what its progress bar, its result and the last lines of its log say. */
export class SyncCounters {
  readonly #context: RunContext;
  readonly #startedMs = performance.now();
  #reportedMs = 0;
  rowsRead = 0;
  rowsWritten = 0;
  rowsDirty = 0;
  rowsFiltered = 0;
  bytes = 0;

  constructor(context: RunContext) {
    this.#context = context;
  }

  read(rows: number, bytes: number): void {
    this.rowsRead += rows;
    this.bytes += bytes;
    if (performance.now() - this.#reportedMs >= REPORT_EVERY_MS) this.report();
  }

  written(rows: number): void {
    this.rowsWritten += rows;
    this.report();
  }

  report(): void {
    this.#reportedMs = performance.now();
    this.#context.progress(this.totals());
  }

  totals(): { rowsRead: number; rowsWritten: number; rowsDirty: number; bytes: number } {
    const { rowsRead, rowsWritten, rowsDirty, bytes } = this;
    return { rowsRead, rowsWritten, rowsDirty, bytes };
  }

  summary(published: FinalizeStats, dirtyReasons: readonly string[]): readonly string[] {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const perSecond = Math.round(this.rowsRead / Math.max(seconds, 0.001));
    return [
      `Rows read: ${this.rowsRead}, written: ${this.rowsWritten}, dirty: ${this.rowsDirty}` +
        (this.rowsFiltered === 0 ? '' : `, filtered: ${this.rowsFiltered}`),
      ...dirtyReasons.slice(0, 20).map((reason) => `Dirty: ${reason}`),
      `Published: ${published.rowsPublished} rows, ${published.rowsDeleted} replaced`,
      `Bytes: ${this.bytes}, seconds: ${seconds.toFixed(2)}, rows per second: ${perSecond}`,
    ];
  }
}
