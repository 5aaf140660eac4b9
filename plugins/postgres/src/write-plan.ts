import type {
  Cell,
  CellCheck,
  Column,
  ColumnVerdict,
  Finding,
  Lane,
  LineColumn,
  Mapping,
  PartitionValues,
  ReplaceScope,
  Row,
  TableSchema,
  WriteContext,
} from '@millrace/sdk';
import {
  LineCheck,
  PluginError,
  columnVerdict,
  compileCheck,
  compileConversion,
  compileFieldCheck,
  encodeCopyCell,
  errorCodeOf,
  partitionField,
  withinPartition,
} from '@millrace/sdk';
import { refusesAloud, writerLanes } from './copy-lanes.js';
import { quoteLiteral, quoteName } from './quoting.js';
import { resolveColumn } from './table-catalog.js';
import type { PostgresWriterConfig } from './writer-config.js';

const LINE_FEED = 0x0a;

/** A row as the target takes it, or why it cannot. */
export type PlannedRow =
  | { readonly row: Row; readonly refused?: undefined }
  | { readonly refused: { readonly column: string; readonly reason: string } };

interface PlannedColumn {
  readonly target: Column;
  readonly convert: ((cell: Cell) => Cell) | undefined;
  readonly check: CellCheck;
}

/** Where in the table the rows belong, and which of it they replace. */
export interface RowsPlace {
  /** Absent: the rows only add. */
  readonly scope?: ReplaceScope | undefined;
  /** Each row is of it; absent: of any. */
  readonly partition?: PartitionValues | undefined;
}

export function placeOf(
  { mode, replace }: PostgresWriterConfig,
  { addsTo }: Pick<WriteContext, 'addsTo'>,
): RowsPlace {
  const isWhole = mode === 'truncate' || mode === 'replace-swap';
  return {
    scope: isWhole ? { kind: 'table' } : replace,
    partition: replace?.kind === 'partition' ? replace.values : addsTo,
  };
}

/** How rows of the mapping become rows of one table, and which rows of it they replace. */
export class WritePlan {
  /** Quoted names for the column list of COPY and INSERT. */
  readonly columnList: string;
  /** The target columns of `columnList`. */
  readonly columns: readonly Column[];
  /** The condition of the rows a run replaces; `undefined`: none. */
  readonly scopeSql: string | undefined;
  /** The target columns of the mapping, in its order. */
  readonly mapped: readonly Column[];
  /** The source columns of the mapping, in its order. */
  readonly sources: readonly Column[];
  /** A column is filled or compared with the partition's value: the server cannot be sent rows unseen. */
  readonly #hasPartition: boolean;
  /** The source columns, then those that are filled: what a completed line is made of. */
  readonly lineSources: readonly Column[];
  /** What a line lacks of the columns of `columnList`. */
  readonly #filling: Buffer | undefined;
  /** The row rules for lines of the text lane. */
  readonly lineCheck: LineCheck;
  readonly #columns: readonly PlannedColumn[];
  readonly #constants: readonly Cell[];

  /** `key`: rows are found by these columns, so that none of them may be NULL. */
  constructor(
    schema: TableSchema,
    mapping: Mapping,
    { scope, partition: values }: RowsPlace,
    key: readonly string[] = [],
  ) {
    const partition = partitionValues(schema, values);
    const isKey = (column: Column): boolean => column.nullable && key.includes(column.name);
    this.#columns = mapping.columns.map(({ source, target: name }) => {
      const found = resolveColumn(name, schema);
      const target = isKey(found) ? { ...found, nullable: false } : found;
      return {
        target,
        convert: compileConversion(source, target, 'postgres'),
        check: rowCheck(source, target, partition.get(target)),
      };
    });
    const mapped = new Set(this.#columns.map((c) => c.target.name));
    // A partition column the mapping leaves out is filled with the partition's value.
    const filled = [...partition].filter(([column]) => !mapped.has(column.name));
    this.#constants = filled.map(([, value]) => value);
    this.#hasPartition = partition.size > 0;
    this.#filling =
      filled.length === 0
        ? undefined
        : Buffer.from(filled.map(([, value]) => `\t${encodeCopyCell(value)}`).join(''));
    this.sources = mapping.columns.map(({ source }) => source);
    const constants = filled.map(([target]) => constantColumn(target));
    this.lineSources = [...this.sources, ...constants.map((c) => c.source)];
    this.lineCheck = new LineCheck([
      ...this.#columns.map((c, i) => lineColumn(c, this.sources[i] ?? c.target, schema, partition)),
      ...constants,
    ]);
    this.mapped = this.#columns.map((c) => c.target);
    this.columns = [...this.mapped, ...filled.map(([column]) => column)];
    this.columnList = this.columns.map(({ name }) => quoteName(name)).join(', ');
    this.scopeSql = scopeSqlOf(scope, partition);
  }

  /** The lanes this mapping may use. `mayConvert`: the server may make a temporary table for us. */
  lanes(mayConvert: boolean): readonly Lane[] {
    const pairs = this.#columns.map(({ target }, i) => ({
      source: this.sources[i] ?? target,
      target,
    }));
    const mayPass = mayConvert && !this.#hasPartition;
    return writerLanes(pairs, mayPass, this.lineCheck.isPossible);
  }

  /** Lines with the columns that are filled behind each. */
  complete(lines: Uint8Array, count: number): Uint8Array {
    const filling = this.#filling;
    if (filling === undefined) return lines;
    const given = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
    const out = Buffer.allocUnsafe(given.length + count * filling.length);
    let at = 0;
    for (let from = 0; from < given.length;) {
      const end = given.indexOf(LINE_FEED, from);
      at += given.copy(out, at, from, end);
      at += filling.copy(out, at);
      out[at++] = LINE_FEED;
      from = end + 1;
    }
    return out.subarray(0, at);
  }

  plan(cells: Row): PlannedRow {
    const row: Cell[] = [];
    for (const [i, column] of this.#columns.entries()) {
      const given = cells[i] ?? null;
      const cell = column.convert === undefined ? given : column.convert(given);
      const reason = column.check(cell);
      if (reason !== undefined) return { refused: { column: column.target.name, reason } };
      row.push(cell);
    }
    for (const value of this.#constants) row.push(value);
    return { row };
  }
}

/** Judges the mapping against the table, without a connection. */
export function judgeMapping(
  schema: TableSchema,
  mapping: Mapping,
  partition: PartitionValues = {},
): { readonly verdicts: readonly ColumnVerdict[]; readonly findings: readonly Finding[] } {
  const verdicts: ColumnVerdict[] = [];
  const findings: Finding[] = [];
  const written = new Set<string>();
  const attempt = (name: string, use: (column: Column) => void) => {
    try {
      use(resolveColumn(name, schema));
    } catch (error) {
      const code = errorCodeOf(error);
      if (!(error instanceof PluginError) || code === undefined) throw error;
      findings.push({ level: 'error', code, message: error.detail, column: name });
    }
  };
  for (const { source, target: name } of mapping.columns) {
    attempt(name, (target) => {
      if (written.has(target.name)) {
        findings.push(mappingError(`"${target.name}" is mapped twice`, target.name));
      }
      written.add(target.name);
      const verdict = columnVerdict(source, target, 'postgres');
      verdicts.push(verdict);
      if (verdict.verdict === 'impossible') {
        findings.push(
          mappingError(
            `"${source.name}" to "${target.name}": ${verdict.reason ?? ''}`,
            target.name,
          ),
        );
      }
    });
  }
  for (const name of Object.keys(partition)) attempt(name, (c) => written.add(c.name));
  for (const column of schema.columns) {
    const needed = !column.nullable && !column.hasDefault && !column.generated;
    if (needed && !written.has(column.name)) {
      findings.push(
        mappingError(`"${column.name}" is NOT NULL and nothing is mapped to it`, column.name),
      );
    }
  }
  return { verdicts, findings };
}

function mappingError(message: string, column: string): Finding {
  return { level: 'error', code: 'MR-D208', message, column };
}

function lineColumn(
  { target, convert, check }: PlannedColumn,
  source: Column,
  schema: TableSchema,
  partition: ReadonlyMap<Column, string>,
): LineColumn {
  const field = compileFieldCheck(source, target, 'postgres');
  const isTrusted = refusesAloud(source, target) && !isNullRefusedHere(target, schema);
  const wanted = partition.get(target);
  if (wanted === undefined) return { source, target, isTrusted, field, convert, check };
  const isPossible = isTrusted || field !== undefined;
  const watched = isPossible ? partitionField(check, target, wanted) : undefined;
  return { source, target, isTrusted, isWatched: true, field: watched, convert, check };
}

function rowCheck(source: Column, target: Column, partition: string | undefined): CellCheck {
  const check = compileCheck(target, 'postgres', source);
  return partition === undefined ? check : withinPartition(check, target, partition);
}

function constantColumn(target: Column): LineColumn {
  const source = { ...target, type: { kind: 'text' }, unchecked: true } as const;
  const check = (): undefined => undefined;
  return { source, target, isTrusted: true, field: undefined, convert: undefined, check };
}

/** The server itself would take NULL. */
function isNullRefusedHere(target: Column, schema: TableSchema): boolean {
  return !target.nullable && schema.columns.some((c) => c.name === target.name && c.nullable);
}

function partitionValues(
  schema: TableSchema,
  values: PartitionValues = {},
): ReadonlyMap<Column, string> {
  return new Map(
    Object.entries(values).map(([name, value]) => [resolveColumn(name, schema), value]),
  );
}

function scopeSqlOf(
  scope: ReplaceScope | undefined,
  partition: ReadonlyMap<Column, string>,
): string | undefined {
  if (scope === undefined) return undefined;
  if (scope.kind === 'table') return '1 = 1';
  if (scope.kind === 'predicate') return `(${scope.sql}\n)`;
  return [...partition]
    .map(([column, value]) => `${quoteName(column.name)} = ${quoteLiteral(value)}`)
    .join(' AND ');
}
