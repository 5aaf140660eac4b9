import type { Cell, Column, Row } from '@millrace/sdk';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import { compileDrop } from './drop-condition.js';
import type { FieldMapping, ResolvedMapping } from './field-mapping.js';
import type { RowTransform } from './row-transform.js';

/** What became of one row. `raw`: in mapping order, before functions, as the quarantine keeps it. */
export type RowOutcome =
  | { readonly kind: 'row'; readonly row: Row }
  | { readonly kind: 'dropped' }
  | {
      readonly kind: 'dirty';
      readonly raw: Row;
      readonly column?: string;
      readonly code: string;
      readonly reason: string;
    };

/** Turns rows of the source into rows of the target: functions, then conditions, then the transform. */
export class RowProgram {
  readonly #resolved: ResolvedMapping;
  readonly #drops: readonly { readonly at: number; readonly test: (cell: Cell) => boolean }[];
  readonly #transform: RowTransform | undefined;
  readonly #targets: readonly string[];

  /** Throws MR-D208 for a condition that cannot be judged. */
  constructor(
    written: FieldMapping | undefined,
    resolved: ResolvedMapping,
    transform: RowTransform | undefined,
  ) {
    this.#resolved = resolved;
    this.#transform = transform;
    this.#targets = resolved.mapping.columns.map(({ target }) => target);
    this.#drops = (written?.drop ?? []).map((condition) => {
      const wanted = condition.column.toLowerCase();
      const at = this.#targets.findIndex((target) => target.toLowerCase() === wanted);
      const column = resolved.mapping.columns[at]?.source as Column;
      return { at, test: compileDrop(condition, column) };
    });
  }

  /** Cells of the source in mapping order, constants in their places. */
  raw(row: Row): Row {
    return this.#resolved.origins.map(({ sourceIndex, constant }) =>
      constant === undefined ? (row[sourceIndex] ?? null) : constant,
    );
  }

  /** Of cells in mapping order. */
  run(raw: Row): RowOutcome {
    let column: string | undefined;
    try {
      const cells: Cell[] = [];
      for (const [i, { functions }] of this.#resolved.origins.entries()) {
        column = this.#targets[i];
        let cell = raw[i] ?? null;
        for (const apply of functions) if (cell !== null) cell = apply(cell);
        cells.push(cell);
      }
      column = undefined;
      if (this.#drops.some(({ at, test }) => test(cells[at] ?? null))) return { kind: 'dropped' };
      const row = this.#transform === undefined ? cells : this.#transform(this.#targets, cells);
      return row === undefined ? { kind: 'dropped' } : { kind: 'row', row };
    } catch (error) {
      const code = registeredCodeOf(error) ?? 'MR-D217';
      const reason = error instanceof MillraceError ? error.detail : String(error);
      return { kind: 'dirty', raw, code, reason, ...(column === undefined ? {} : { column }) };
    }
  }
}

/** `undefined`: rows need not be looked at one by one, so that a lane of bytes may carry them. */
export function programOf(
  written: FieldMapping | undefined,
  resolved: ResolvedMapping,
  transform: RowTransform | undefined,
): RowProgram | undefined {
  return needsRows(written) ? new RowProgram(written, resolved, transform) : undefined;
}

function needsRows(written: FieldMapping | undefined): boolean {
  if (written === undefined) return false;
  return (
    written.transform !== undefined ||
    (written.drop ?? []).length > 0 ||
    (written.columns ?? []).some(
      ({ constant, functions }) => constant !== undefined || (functions ?? []).length > 0,
    )
  );
}
