import type { Column } from '@millrace/sdk';
import { largeRowKey } from '@millrace/sdk';
import type { CopyFormat } from './copy-out.js';

const TAB = 0x09;

/** Reads the key of a row from its first bytes, as COPY writes them. */
export function keyReader(
  format: CopyFormat,
  columns: readonly Column[],
  key: readonly string[],
): (head: Buffer) => string | undefined {
  const fieldOf = format === 'binary' ? binaryField : textField;
  return (head) =>
    largeRowKey(key, (name) => {
      const place = columns.findIndex((column) => column.name === name);
      const column = columns[place];
      return column === undefined ? undefined : fieldOf(head, place, column);
    });
}

/** Its escapes are left as they are. */
function textField(head: Buffer, place: number): string | undefined {
  let from = 0;
  for (let i = 0; i < place; i += 1) {
    const tab = head.indexOf(TAB, from);
    if (tab < 0) return undefined;
    from = tab + 1;
  }
  const end = head.indexOf(TAB, from);
  return end < 0 ? undefined : head.toString('utf8', from, end);
}

/** A number of columns, then the length of each field before it. */
function binaryField(head: Buffer, place: number, { type }: Column): string | undefined {
  let at = 2;
  for (let i = 0; ; i += 1) {
    if (at + 4 > head.length) return undefined;
    const length = Math.max(0, head.readInt32BE(at));
    at += 4;
    if (at + length > head.length) return undefined;
    const field = head.subarray(at, at + length);
    if (i < place) at += length;
    else if (type.kind === 'text') return field.toString('utf8');
    else if (type.kind !== 'integer') return `\\x${field.toString('hex')}`;
    else return String(length === 8 ? field.readBigInt64BE() : field.readIntBE(0, length));
  }
}
