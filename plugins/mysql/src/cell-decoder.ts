import type { Cell, Column } from '@millrace/sdk';

import type { RawCell } from './session.js';

export type CellDecoder = (raw: RawCell) => Cell;

/** Turns what the server sends for a column into the canonical cell. The bytes are copied: the driver uses its buffer again. */
export function cellDecoderOf(column: Column): CellDecoder {
  const { type } = column;
  switch (type.kind) {
    case 'bytes':
      return (raw) => (raw === null ? null : Uint8Array.from(raw));
    case 'bits':
      return (raw) => (raw === null ? null : bitsText(raw, type.length));
    case 'float':
      return type.bits === 32 ? float32Text : utf8Text;
    case 'integer':
      return integerText;
    case 'timestamp':
      return type.zoned
        ? (raw) => (raw === null ? null : `${raw.toString('latin1')}+00`)
        : utf8Text;
    case 'boolean':
    case 'decimal':
    case 'text':
    case 'date':
    case 'time':
    case 'interval':
    case 'json':
    case 'uuid':
    case 'other':
      return utf8Text;
  }
}

function utf8Text(raw: RawCell): Cell {
  return raw === null ? null : raw.toString('utf8');
}

/** ZEROFILL and YEAR pad with zeros, which are no digits of the number. */
function integerText(raw: RawCell): Cell {
  if (raw === null) return null;
  const text = raw.toString('latin1');
  return text.length > 1 && text.startsWith('0') ? text.replace(/^0+(?=\d)/, '') : text;
}

/**
 * The reader asks for `col * 1E0`, because a FLOAT itself is printed with six digits only. That gives the
 * double of the same value; its shortest text as a float is what a FLOAT column takes back unchanged.
 */
function float32Text(raw: RawCell): Cell {
  if (raw === null) return null;
  const text = raw.toString('latin1');
  const value = Number(text);
  if (value === 0) return text.startsWith('-') ? '-0' : '0';
  // Below the normal range fewer than six digits may be all there are.
  for (let digits = Math.abs(value) < 1.2e-38 ? 1 : 6; digits <= 9; digits++) {
    const shorter = value.toPrecision(digits);
    if (Math.fround(Number(shorter)) === value) return plain(shorter);
  }
  return text;
}

function plain(text: string): string {
  const [mantissa = '', exponent] = text.split('e');
  const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  return exponent === undefined ? short : `${short}e${exponent.replace('+', '')}`;
}

function bitsText(raw: Buffer, length: number): string {
  let text = '';
  for (const byte of raw) text += byte.toString(2).padStart(8, '0');
  return text.padStart(length, '0').slice(-length);
}
