import type { ErrorCode } from '@millrace/sdk';
import type { BadLine } from './text-blocks.js';

/** Lines of a file that are no record. */
export interface BrokenLines {
  /** The first one, from 1. */
  readonly line: number;
  readonly lines: number;
  readonly code: ErrorCode;
  readonly reason: string;
}

export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** What makes a record broken, in the words of both cutters. */
export const REASONS = {
  quoteInPlain: 'a quote inside of a cell that is not quoted',
  quoteNotDoubled: 'a quote inside of a quoted cell is not doubled',
  leftOpen: 'a quoted cell does not end',
  escapesNothing: 'a backslash with nothing behind it',
  cells: (has: number, wanted: number) => `it has ${has} cells instead of ${wanted}`,
} as const;

/** Collects what a cutter could not make a record of, and knows which lines are no text. */
export class BrokenRecords {
  #found: BrokenLines[] = [];
  #bad: readonly BadLine[] = [];

  get hasBad(): boolean {
    return this.#bad.length > 0;
  }

  /** Lines behind those that were told before. */
  expect(bad: readonly BadLine[]): void {
    if (bad.length > 0) this.#bad = [...this.#bad, ...bad];
  }

  add(line: number, lines: number, reason: string): void {
    const bad = this.badWithin(line, lines);
    this.#found.push({ line, lines, code: bad?.code ?? 'MR-D240', reason: bad?.reason ?? reason });
  }

  badWithin(line: number, lines: number): BadLine | undefined {
    if (this.#bad.length === 0) return undefined;
    this.#bad = this.#bad.filter((each) => each.line >= line);
    return this.#bad.find((each) => each.line < line + lines);
  }

  /** Those since the last call. */
  take(): readonly BrokenLines[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }
}
