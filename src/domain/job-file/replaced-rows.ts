import { columnName } from './job-columns.js';

const PAIR = /^\s*([`"]?[\p{L}_][\w$]*[`"]?)\s*=\s*'((?:[^'\\]|'')*)'\s*$/u;

/** What a single `DELETE` or `TRUNCATE` before the rows says about what a run replaces. */
export function replacedBy(
  statement: string,
  table: string,
): Readonly<Record<string, unknown>> | undefined {
  const plain = (name: string): string => name.replaceAll(/[`"]/g, '').toLowerCase();
  const all =
    /^truncate\s+(?:table\s+)?(\S+)$/i.exec(statement) ??
    /^delete\s+from\s+(\S+)$/i.exec(statement);
  if (all !== null) return plain(all[1] ?? '') === plain(table) ? { mode: 'truncate' } : undefined;
  const some = /^delete\s+from\s+(\S+)\s+where\s+([\s\S]+)$/i.exec(statement);
  if (some === null || plain(some[1] ?? '') !== plain(table)) return undefined;
  const sql = some[2] ?? '';
  const pairs = sql.split(/\s+and\s+/i).map((part) => PAIR.exec(part));
  const values = pairs.flatMap((pair) =>
    pair === null ? [] : [[columnName(pair[1] ?? '') ?? '', (pair[2] ?? '').replaceAll("''", "'")]],
  );
  const replace =
    values.length === pairs.length
      ? { kind: 'partition', values: Object.fromEntries(values) as Record<string, string> }
      : { kind: 'predicate', sql };
  return { mode: 'partition-overwrite', replace };
}
