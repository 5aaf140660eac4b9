import { displayWidth } from './display-width.js';

export interface TableColumn<T> {
  readonly title: string;
  readonly of: (row: T) => string | number | undefined;
  readonly align?: 'left' | 'right';
  /** ANSI SGR parameter for the cell, e.g. `32`; used only where colour is wanted. */
  readonly color?: (row: T) => string | undefined;
}

/** Aligned columns under one header line, two blanks apart, no trailing blanks. */
export function renderTable<T>(
  rows: readonly T[],
  columns: readonly TableColumn<T>[],
  color: boolean,
): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.of(row))));
  const widths = columns.map((column, i) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[i] ?? ''))),
  );
  const line = (texts: readonly string[], paint: (text: string, i: number) => string): string =>
    texts
      .map((text, i) => {
        const gap = ' '.repeat((widths[i] ?? 0) - displayWidth(text));
        const painted = paint(text, i);
        if (columns[i]?.align === 'right') return gap + painted;
        return i === texts.length - 1 ? painted : painted + gap;
      })
      .join('  ');
  const head = line(
    columns.map((column) => column.title.toUpperCase()),
    (text) => (color ? `\u001b[1m${text}\u001b[0m` : text),
  );
  const body = cells.map((texts, r) =>
    line(texts, (text, i) => {
      const row = rows[r];
      const sgr = color && row !== undefined ? columns[i]?.color?.(row) : undefined;
      return sgr === undefined ? text : `\u001b[${sgr}m${text}\u001b[0m`;
    }),
  );
  return [head, ...body].map((text) => `${text}\n`).join('');
}

/** Names come from other people: a control character in one must not reach the terminal. */
function printable(value: string | number | undefined): string {
  return String(value ?? '').replace(/\p{Cc}+/gu, ' ');
}
