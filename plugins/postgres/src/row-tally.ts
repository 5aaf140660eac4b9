import type { ChecksumColumn, ChecksumForm, Column, RowTally } from '@millrace/sdk';
import { PluginError } from '@millrace/sdk';
import type { Client } from 'pg';
import { quoteName } from './quoting.js';
import { query } from './session.js';

/**
 * Counts the rows of `select` and sums their checksums; `select` gives the columns under their names, and
 * `types` says what they are.
 */
export async function tallyOf(
  client: Client,
  select: string,
  columns: readonly ChecksumColumn[],
  types: readonly Column[],
): Promise<RowTally> {
  if (columns.length === 0) {
    const [row] = await query(client, `SELECT count(*)::text FROM (${select}) AS r`);
    return { rows: Number(row?.[0]) };
  }
  const fields = columns.map(({ name, form }) => {
    const isBoolean = types.find((c) => c.name === name)?.type.kind === 'boolean';
    return fieldOf(textOf(quoteName(name), form, isBoolean));
  });
  const hash = `encode(sha256(convert_to(${fields.join(' || ')}, 'UTF8')), 'hex')`;
  const [row] = await query(
    client,
    `SELECT count(*)::text, coalesce(sum(('x' || left(${hash}, 15))::bit(60)::bigint), 0)::text
       FROM (${select}) AS r`,
  );
  const checksum = row?.[1];
  if (typeof checksum !== 'string') throw new PluginError('MR-P105', 'no checksum came back');
  return { rows: Number(row?.[0]), checksum };
}

function fieldOf(text: string): string {
  return `CASE WHEN ${text} IS NULL THEN 'n' ELSE char_length(${text}) || ':' || ${text} END`;
}

function textOf(name: string, form: ChecksumForm, isBoolean: boolean): string {
  switch (form) {
    case 'number':
      return `trim_scale(${name}${isBoolean ? '::int' : ''}::numeric)::text`;
    case 'timestamp':
      return `to_char(${name}, 'YYYY-MM-DD HH24:MI:SS.US')`;
    case 'time':
      return `to_char(${name}, 'HH24:MI:SS.US')`;
    case 'bytes':
      return `encode(${name}, 'hex')`;
    case 'text':
    case 'date':
    case 'native':
      return `${name}::text`;
  }
}
