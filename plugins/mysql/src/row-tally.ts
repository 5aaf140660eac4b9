import { PluginError } from '@millrace/sdk';
import type { ChecksumColumn, ChecksumForm, Column, RowTally } from '@millrace/sdk';

import { quoteName } from './literal.js';
import type { Session } from './session.js';

/**
 * Counts the rows of `select` and sums their checksums; `select` gives the columns under their names, and
 * `types` says what they are. Throws MR-D191 for a row that is too large for the server to look at.
 */
export async function tallyOf(
  session: Session,
  select: string,
  columns: readonly ChecksumColumn[],
  types: readonly Column[],
): Promise<RowTally> {
  if (columns.length === 0) {
    return { rows: Number(await session.value(`SELECT COUNT(*) FROM (${select}) AS r`)) };
  }
  const fields = columns.map(({ name, form }) => {
    const type = types.find((c) => c.name === name);
    return fieldOf(quoteName(name), textOf(quoteName(name), form, type));
  });
  const hash = `SHA2(CONCAT(${fields.join(', ')}), 256)`;
  const [row] = await session.rows(
    `SELECT COUNT(*), COUNT(h), COALESCE(SUM(CAST(CONV(LEFT(h, 15), 16, 10) AS UNSIGNED)), 0)
       FROM (SELECT ${hash} AS h FROM (${select}) AS r) AS hashes`,
  );
  const [rows, hashed, checksum] = row ?? [];
  // CONCAT gives NULL and a warning for what is longer than a packet.
  if (rows !== hashed || typeof checksum !== 'string') {
    const detail = `${Number(rows) - Number(hashed)} rows are larger than max_allowed_packet: no checksum`;
    throw new PluginError('MR-D191', detail);
  }
  return { rows: Number(rows), checksum };
}

function fieldOf(name: string, text: string): string {
  const utf8 = `CONVERT(${text} USING utf8mb4)`;
  return `IF(${name} IS NULL, 'n', CONCAT(CHAR_LENGTH(${utf8}), ':', ${utf8}))`;
}

function textOf(name: string, form: ChecksumForm, column: Column | undefined): string {
  switch (form) {
    case 'number': {
      const hasFraction = column?.type.kind === 'decimal' && column.type.scale !== 0;
      // Years and ZEROFILL are written with zeros in front.
      if (!hasFraction) return `CAST(${name} + 0 AS CHAR)`;
      return `TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(${name} + 0 AS CHAR)))`;
    }
    case 'timestamp':
      return `DATE_FORMAT(${name}, '%Y-%m-%d %H:%i:%s.%f')`;
    case 'time':
      return `TIME_FORMAT(${name}, '%H:%i:%s.%f')`;
    case 'bytes':
      return `LOWER(HEX(${name}))`;
    case 'text':
      return name;
    case 'date':
      return `CAST(${name} AS CHAR)`;
    case 'native':
      // A float of 32 bits is written with six digits; times one it is a double, all of it.
      return column?.type.kind === 'float'
        ? `CAST(${name} * 1E0 AS CHAR)`
        : `HEX(CAST(${name} AS BINARY))`;
  }
}
