import type { Column, Mapping, Row, TableSchema } from '@millrace/sdk';
import { MillraceError } from '../domain/errors.js';

/** Columns by name, as the user wrote them. Absent: by equal names. */
export interface FieldMapping {
  readonly columns: readonly { readonly from: string; readonly to: string }[];
}

export interface ResolvedMapping {
  readonly mapping: Mapping;
  /** Index into the source's row of each mapped column. */
  readonly sourceIndexes: readonly number[];
  readonly notes: readonly string[];
}

/** The column of that name; where none is, the only one whose name differs by case. */
function columnNamed(columns: readonly Column[], name: string): Column | undefined {
  const exact = columns.find((column) => column.name === name);
  if (exact) return exact;
  const folded = columns.filter((column) => column.name.toLowerCase() === name.toLowerCase());
  return folded.length === 1 ? folded[0] : undefined;
}

function namesOf(columns: readonly Column[]): string {
  return columns.map((column) => column.name).join(', ');
}

function isRequired(column: Column): boolean {
  return !column.nullable && column.hasDefault !== true && column.generated !== true;
}

interface Pair {
  readonly source: Column;
  readonly target: Column;
}

function pairsByName(source: TableSchema, target: TableSchema, problems: string[]): Pair[] {
  const pairs: Pair[] = [];
  const extra: Column[] = [];
  for (const column of source.columns) {
    const found = columnNamed(target.columns, column.name);
    if (found && found.generated !== true) pairs.push({ source: column, target: found });
    else if (!found) extra.push(column);
    else problems.push(`the target fills column ${found.name} itself`);
  }
  if (extra.length > 0) {
    problems.push(
      `the source has ${source.columns.length} columns and the target ${target.columns.length}; ` +
        `not in the target: ${namesOf(extra)} (the target has ${namesOf(target.columns)}). ` +
        'Map the columns one by one to leave some out',
    );
  }
  return pairs;
}

function pairsAsWritten(
  written: FieldMapping,
  source: TableSchema,
  target: TableSchema,
  problems: string[],
): Pair[] {
  const pairs: Pair[] = [];
  for (const { from, to } of written.columns) {
    const sourceColumn = columnNamed(source.columns, from);
    const targetColumn = columnNamed(target.columns, to);
    if (!sourceColumn) {
      problems.push(`the source has no column ${from} (it has ${namesOf(source.columns)})`);
    }
    if (!targetColumn) {
      problems.push(`the target has no column ${to} (it has ${namesOf(target.columns)})`);
    } else if (targetColumn.generated === true) {
      problems.push(`the target fills column ${targetColumn.name} itself`);
    }
    if (sourceColumn && targetColumn) pairs.push({ source: sourceColumn, target: targetColumn });
  }
  return pairs;
}

/**
 * Settles which source column goes into which target column. Every problem is found at once:
 * MR-D208 lists all of them.
 */
export function resolveMapping(
  written: FieldMapping | undefined,
  source: TableSchema,
  target: TableSchema,
): ResolvedMapping {
  const problems: string[] = [];
  const pairs =
    written === undefined
      ? pairsByName(source, target, problems)
      : pairsAsWritten(written, source, target, problems);
  const mapped = new Set<string>();
  for (const pair of pairs) {
    if (mapped.has(pair.target.name)) problems.push(`column ${pair.target.name} is mapped twice`);
    mapped.add(pair.target.name);
  }
  const unmapped = target.columns.filter((column) => !mapped.has(column.name));
  const missing = unmapped.filter(isRequired);
  if (missing.length > 0) {
    problems.push(`no value for NOT NULL columns without a default: ${namesOf(missing)}`);
  }
  if (pairs.length === 0) problems.push('no column is mapped');
  if (problems.length > 0) throw new MillraceError('MR-D208', problems.join('; '));
  const left = unmapped.filter((column) => column.generated !== true);
  return {
    mapping: { columns: pairs.map((p) => ({ source: p.source, target: p.target.name })) },
    sourceIndexes: pairs.map((pair) => source.columns.indexOf(pair.source)),
    notes: left.length > 0 ? [`Columns left to their defaults: ${namesOf(left)}`] : [],
  };
}

/** The mapping before the target is known: as written, else every source column under its own name. */
export function provisionalMapping(
  written: FieldMapping | undefined,
  source: TableSchema,
): Mapping {
  if (written === undefined) {
    return { columns: source.columns.map((column) => ({ source: column, target: column.name })) };
  }
  return {
    columns: written.columns.flatMap(({ from, to }) => {
      const column = columnNamed(source.columns, from);
      return column ? [{ source: column, target: to }] : [];
    }),
  };
}

export function isSameMapping(a: Mapping, b: Mapping): boolean {
  return (
    a.columns.length === b.columns.length &&
    a.columns.every((column, i) => {
      const other = b.columns[i];
      return column.source.name === other?.source.name && column.target === other.target;
    })
  );
}

/** Puts the cells of each row into mapping order. */
export function projectRows(rows: readonly Row[], sourceIndexes: readonly number[]): Row[] {
  return rows.map((row) => sourceIndexes.map((at) => row[at] ?? null));
}
