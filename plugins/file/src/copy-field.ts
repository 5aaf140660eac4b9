import { COPY_ESCAPES } from '@millrace/sdk';

import { ESCAPED_LETTERS } from './csv-escape.js';

/** What a byte means in a cell: 0 stands for itself, any letter is written after a backslash. */
export const ESCAPES = new Uint8Array(256);
for (const [byte, letter] of ['\bb', '\tt', '\vv', '\ff', '\rr', '\\\\', '\nn'])
  ESCAPES[(byte ?? '').charCodeAt(0)] = (letter ?? '').charCodeAt(0);

/** What a byte behind an escape stands for. */
export const MEANINGS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const meaning = ESCAPED_LETTERS[String.fromCharCode(byte)];
  return meaning === undefined ? byte : meaning.charCodeAt(0);
});

/** The cell of a field, for a header alone: a row's cells become no values. */
export function cellOf(field: Buffer): string | null {
  const text = field.toString('utf8');
  if (text === String.raw`\N`) return null;
  return text.replace(/\\(.)/gs, (_, c: string) => COPY_ESCAPES[c] ?? c);
}
