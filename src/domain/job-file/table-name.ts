import { columnName } from './job-columns.js';

const PART = /`[^`]+`|"[^"]+"|\[[^\]]+\]|[^.]+/g;
const RANGE = /\[(\d+)-(\d+)\]/g;

export interface TableName {
  readonly schema?: string;
  readonly table: string;
}

/** A table as a job file writes it, for its statements, and what that names. */
export interface WrittenTable {
  readonly written: string;
  readonly name: TableName;
}

/** Schema and table without quotes; what stands before them is the database that is read anyway. */
function nameOf(written: string): TableName {
  const parts = (written.match(PART) ?? [written]).map((part) => columnName(part) ?? part.trim());
  const [table = written, schema] = parts.toReversed();
  return schema === undefined ? { table } : { schema, table };
}

/** The tables of one text: DataX takes several names with commas between them. */
export function tablesOf(text: string): readonly WrittenTable[] {
  const names = text.match(/(?:`[^`]*`|"[^"]*"|[^,])+/g) ?? [];
  return names
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((written) => ({ written, name: nameOf(written) }));
}

/** `t_[0-31]` is 32 tables. */
export function isPattern({ schema, table }: TableName): boolean {
  return `${schema ?? ''}.${table}`.search(RANGE) !== -1;
}

/** As a reader's `tables` has it. DataX reads a range that runs backwards as well. */
export function tablePattern({ schema, table }: TableName): string {
  const pattern = schema === undefined ? table : `${schema}.${table}`;
  return pattern.replaceAll(RANGE, (range, from: string, to: string) =>
    Number(from) > Number(to) ? `[${to}-${from}]` : range,
  );
}
