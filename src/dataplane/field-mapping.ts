import type { Column, Mapping, Row, TableSchema } from '@millrace/sdk';
import { MillraceError } from '../domain/errors.js';
import type { CellFunction, CompiledFunction } from './cell-functions.js';
import { compileFunctions } from './cell-functions.js';
import type { DropCondition } from './drop-condition.js';

/** One column of the target, and what fills it: exactly one of `from`, `position` and `constant`. */
export interface MappedColumn {
  readonly from?: string | undefined;
  /** Of the source's columns; 1 is the first. */
  readonly position?: number | undefined;
  readonly constant?: string | undefined;
  readonly to: string;
  readonly functions?: readonly CellFunction[] | undefined;
}

/** How the user wrote it. Without `columns`: by name, or by row, which is by place. */
export interface FieldMapping {
  readonly by?: 'name' | 'row' | undefined;
  /** By row: the columns in their order; every one of the source or the target without it. */
  readonly from?: readonly string[] | undefined;
  readonly to?: readonly string[] | undefined;
  readonly columns?: readonly MappedColumn[] | undefined;
  readonly drop?: readonly DropCondition[] | undefined;
  /** TypeScript. */
  readonly transform?: string | undefined;
}

/** A cell of the target's row before its functions: of the source's row, or the same in every row. */
export interface CellOrigin {
  /** Index into the source's row; -1 for a constant. */
  readonly sourceIndex: number;
  readonly constant?: string;
  readonly functions: readonly CompiledFunction[];
}

export interface ResolvedMapping {
  /** Source columns have the types that the functions give. */
  readonly mapping: Mapping;
  /** Index into the source's row of each mapped column; -1 for a constant. */
  readonly sourceIndexes: readonly number[];
  readonly origins: readonly CellOrigin[];
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
  readonly sourceIndex: number;
  readonly target: Column;
  readonly constant?: string;
  readonly functions: readonly CompiledFunction[];
}

function pairsByName(source: TableSchema, target: TableSchema, problems: string[]): Pair[] {
  const pairs: Pair[] = [];
  const extra: Column[] = [];
  for (const [sourceIndex, column] of source.columns.entries()) {
    const found = columnNamed(target.columns, column.name);
    if (found && found.generated !== true) {
      pairs.push({ source: column, sourceIndex, target: found, functions: [] });
    } else if (!found) extra.push(column);
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

/** The columns by place, as single ones: generated columns of the target have no place. */
function columnsByRow(
  written: FieldMapping,
  source: TableSchema,
  target: TableSchema,
  problems: string[],
): readonly MappedColumn[] {
  const from = written.from ?? source.columns.map((column) => column.name);
  const given = target.columns.filter((column) => column.generated !== true);
  const to = written.to ?? given.map((column) => column.name);
  if (from.length !== to.length) {
    problems.push(
      `by row the source has ${from.length} columns (${from.join(', ')}) and the target ${to.length} (${to.join(', ')})`,
    );
  }
  return to.flatMap((name, i) => {
    const column = from[i];
    return column === undefined ? [] : [{ from: column, to: name }];
  });
}

function sourceOf(
  { from, position, constant, to }: MappedColumn,
  source: TableSchema,
): { readonly column: Column; readonly index: number } | string {
  if (constant !== undefined) {
    const type = { kind: 'text' } as const;
    return { column: { name: to, nativeType: 'constant', type, nullable: false }, index: -1 };
  }
  const column =
    position === undefined ? columnNamed(source.columns, from ?? '') : source.columns[position - 1];
  if (column !== undefined) return { column, index: source.columns.indexOf(column) };
  const wanted = position === undefined ? (from ?? '') : `at position ${position}`;
  return `the source has no column ${wanted} (it has ${namesOf(source.columns)})`;
}

function pairsAsWritten(
  columns: readonly MappedColumn[],
  source: TableSchema,
  target: TableSchema,
  problems: string[],
): Pair[] {
  const pairs: Pair[] = [];
  for (const mapped of columns) {
    const found = sourceOf(mapped, source);
    const targetColumn = columnNamed(target.columns, mapped.to);
    if (typeof found === 'string') problems.push(found);
    if (!targetColumn) {
      problems.push(`the target has no column ${mapped.to} (it has ${namesOf(target.columns)})`);
    } else if (targetColumn.generated === true) {
      problems.push(`the target fills column ${targetColumn.name} itself`);
    }
    if (typeof found === 'string' || !targetColumn) continue;
    const compiled = compileFunctions(mapped.functions ?? [], found.column);
    if (typeof compiled === 'string') problems.push(`column ${mapped.to}: ${compiled}`);
    else {
      const constant = mapped.constant === undefined ? {} : { constant: mapped.constant };
      const { functions } = compiled;
      const sourceIndex = found.index;
      pairs.push({
        source: compiled.column,
        sourceIndex,
        target: targetColumn,
        functions,
        ...constant,
      });
    }
  }
  return pairs;
}

/**
 * Settles what goes into which target column. Every problem is found at once: MR-D208 lists all of them,
 * also NOT NULL columns that nothing fills; the writer itself fills those of `filled` that are left out.
 */
export function resolveMapping(
  written: FieldMapping | undefined,
  source: TableSchema,
  target: TableSchema,
  filled: readonly string[] = [],
): ResolvedMapping {
  const problems: string[] = [];
  const columns =
    written?.columns ??
    (written?.by === 'row' ? columnsByRow(written, source, target, problems) : undefined);
  const pairs =
    columns === undefined
      ? pairsByName(source, target, problems)
      : pairsAsWritten(columns, source, target, problems);
  const mapped = new Set<string>();
  for (const pair of pairs) {
    if (mapped.has(pair.target.name)) problems.push(`column ${pair.target.name} is mapped twice`);
    mapped.add(pair.target.name);
  }
  const byWriter = filled.map((name) => columnNamed(target.columns, name)?.name);
  const unmapped = target.columns.filter(
    ({ name }) => !mapped.has(name) && !byWriter.includes(name),
  );
  const missing = unmapped.filter(isRequired);
  if (missing.length > 0) {
    problems.push(`no value for NOT NULL columns without a default: ${namesOf(missing)}`);
  }
  if (pairs.length === 0) problems.push('no column is mapped');
  for (const { column } of written?.drop ?? []) {
    if (!pairs.some((pair) => pair.target.name.toLowerCase() === column.toLowerCase())) {
      problems.push(`rows are dropped by column ${column}, which is not mapped`);
    }
  }
  if (problems.length > 0) throw new MillraceError('MR-D208', problems.join('; '));
  const left = unmapped.filter((column) => column.generated !== true);
  return {
    mapping: { columns: pairs.map((p) => ({ source: p.source, target: p.target.name })) },
    sourceIndexes: pairs.map((pair) => pair.sourceIndex),
    origins: pairs.map(({ sourceIndex, constant, functions }) => ({
      sourceIndex,
      functions,
      ...(constant === undefined ? {} : { constant }),
    })),
    notes: left.length > 0 ? [`Columns left to their defaults: ${namesOf(left)}`] : [],
  };
}

/** The mapping before the target is known: as written, else every source column under its own name. */
export function provisionalMapping(
  written: FieldMapping | undefined,
  source: TableSchema,
): Mapping {
  const byRow = written?.by === 'row' ? written : undefined;
  const from = byRow?.from ?? source.columns.map((column) => column.name);
  const columns =
    written?.columns ??
    from.map((name, i): MappedColumn => ({ from: name, to: byRow?.to?.[i] ?? name }));
  return {
    columns: columns.flatMap((mapped) => {
      const found = sourceOf(mapped, source);
      if (typeof found === 'string') return [];
      const compiled = compileFunctions(mapped.functions ?? [], found.column);
      if (typeof compiled === 'string') return [];
      return [{ source: compiled.column, target: mapped.to }];
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
