import { PluginError } from '../error.js';

/** Partitions that are named by the same columns. */
export interface PartitionGroup {
  /** As they were written; none: the whole table. */
  readonly columns: readonly string[];
  readonly partitions: readonly PartitionText[];
}

export interface PartitionText {
  /** As the node declares it. */
  readonly text: string;
  /** By the places of the columns. */
  readonly values: readonly string[];
}

/** `'20261101'` is written by who knows MaxCompute. */
const PART = /^\s*([^=\s]+)\s*=\s*(?:'([^']*)'|"([^"]*)"|(.*?))\s*$/;

/**
 * Takes `ds=20261101/hh=05` apart, as nodes declare the partitions they produce; parts are joined by `/` or
 * `,`, and an empty text is the whole table. Throws MR-D195 for a text that names no columns.
 */
export function partitionGroups(partitions: readonly string[]): PartitionGroup[] {
  const groups = new Map<string, { columns: readonly string[]; partitions: PartitionText[] }>();
  for (const text of partitions) {
    const parts = text.trim() === '' ? [] : text.split(/[/,]/).map((part) => partOf(part, text));
    const columns = parts.map(([column]) => column);
    const key = JSON.stringify(columns);
    const group = groups.get(key) ?? { columns, partitions: [] };
    groups.set(key, group);
    group.partitions.push({ text, values: parts.map(([, value]) => value) });
  }
  return [...groups.values()];
}

function partOf(part: string, text: string): readonly [column: string, value: string] {
  const [, column, quoted, doubled, plain] = PART.exec(part) ?? [];
  const value = quoted ?? doubled ?? plain;
  if (column !== undefined && value !== undefined) return [column, value];
  throw new PluginError('MR-D195', `"${text}" is not written as column=value`);
}
