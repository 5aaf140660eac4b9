import { createHash } from 'node:crypto';
import type { Cell, ChecksumForm, Chunk, Column, Row } from '@millrace/sdk';
import { CopyTextDecoder } from '@millrace/sdk';

/** A column as its cells are sent and as the target writes them for a checksum. */
export interface SentColumn {
  readonly form: ChecksumForm;
  /** `undefined`: the value has no text that both sides write alike. */
  readonly text: (cell: string | Uint8Array) => string | undefined;
}

type Kinds = readonly string[];

const NUMBERS: Kinds = ['integer', 'decimal', 'float', 'boolean', 'text'];
const INSTANTS: Kinds = ['date', 'timestamp', 'text'];

/** How the target's own text of a column is made of what is sent to it; `undefined`: it cannot be. */
export function sentColumnOf(source: Column, target: Column): SentColumn | undefined {
  const from = source.type.kind;
  const to = target.type;
  switch (to.kind) {
    case 'integer':
    case 'decimal':
    case 'boolean':
      return NUMBERS.includes(from) ? { form: 'number', text: ofString(numberText) } : undefined;
    case 'text':
      // Members of a set are put into the order of the type.
      if (from === 'bytes' || /^(?:enum|set)\b/i.test(target.nativeType)) return undefined;
      return { form: 'text', text: ofString(to.padded === true ? withoutPadding : itself) };
    case 'date':
      return INSTANTS.includes(from) ? { form: 'date', text: ofString(dateText) } : undefined;
    case 'timestamp':
      if (!INSTANTS.includes(from)) return undefined;
      return { form: 'timestamp', text: ofString(timestampText) };
    case 'time': {
      const isTime = (from === 'time' || from === 'text') && to.zoned !== true;
      return isTime ? { form: 'time', text: ofString(timeText) } : undefined;
    }
    case 'bytes': {
      // A binary of fixed length is filled up.
      const isFilled = /^binary\b/i.test(target.nativeType);
      const isBytes = (from === 'bytes' || from === 'text') && !isFilled;
      return isBytes ? { form: 'bytes', text: hexText } : undefined;
    }
    case 'bits':
    case 'float':
    case 'interval':
    case 'json':
    case 'other':
    case 'uuid':
      return undefined;
  }
}

/**
 * Sums the checksums of rows as they are given to the writer, by the rule of the servers (`RowTally`), without
 * asking either of them.
 */
export class SentChecksum {
  readonly #columns: readonly (SentColumn | undefined)[];
  readonly #names: readonly string[];
  readonly #decoder: CopyTextDecoder;
  #withoutText: string | undefined;

  /** One for each column of the mapping; `undefined` is left out. */
  constructor(sources: readonly Column[], columns: readonly (SentColumn | undefined)[]) {
    this.#columns = columns;
    this.#names = sources.map((column) => column.name);
    this.#decoder = new CopyTextDecoder(sources);
  }

  /** The column that has held a value without a common text: then there is no checksum. */
  get withoutText(): string | undefined {
    return this.#withoutText;
  }

  /** Of whole rows; 0 once a value had no text. */
  of(chunk: Chunk): bigint {
    if (this.#withoutText !== undefined) return 0n;
    const rows = this.#rowsOf(chunk);
    // Sums of halves stay within the integers that a double holds.
    let [high, low] = [0, 0];
    for (const row of rows) {
      const text = this.#textOf(row);
      if (text === undefined) return 0n;
      const hash = createHash('sha256').update(text).digest('hex');
      high += Number.parseInt(hash.slice(0, 7), 16);
      low += Number.parseInt(hash.slice(7, 15), 16);
    }
    return BigInt(high) * 2n ** 32n + BigInt(low);
  }

  #rowsOf(chunk: Chunk): readonly Row[] {
    if (chunk.lane === 'rows') return chunk.rows;
    const { buffer, byteOffset, byteLength } = chunk.data;
    return this.#decoder.push(Buffer.from(buffer, byteOffset, byteLength));
  }

  #textOf(row: Row): string | undefined {
    let text = '';
    for (const [i, column] of this.#columns.entries()) {
      if (column === undefined) continue;
      const cell: Cell = row[i] ?? null;
      if (cell === null) {
        text += 'n';
        continue;
      }
      const own = column.text(cell);
      if (own === undefined) {
        this.#withoutText = this.#names[i] ?? '';
        return undefined;
      }
      text += `${charactersOf(own)}:${own}`;
    }
    return text;
  }
}

function ofString(text: (cell: string) => string | undefined): SentColumn['text'] {
  return (cell) => (typeof cell === 'string' ? text(cell) : undefined);
}

const itself = (cell: string): string => cell;

const withoutPadding = (cell: string): string => cell.replace(/ +$/, '');

const hexText = (cell: string | Uint8Array): string => Buffer.from(cell).toString('hex');

function numberText(cell: string): string | undefined {
  if (/^(?:true|t)$/.test(cell)) return '1';
  if (/^(?:false|f)$/.test(cell)) return '0';
  const parts = /^([+-]?)0*(\d*)(?:\.(\d*))?$/.exec(cell);
  const [, sign = '', whole = '', fraction = ''] = parts ?? [];
  if (parts === null || !/\d/.test(cell)) return undefined;
  const digits = fraction.replace(/0+$/, '');
  if (whole === '' && digits === '') return '0';
  const point = digits === '' ? '' : `.${digits}`;
  return `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}${point}`;
}

const DATE = String.raw`\d{4}-\d\d-\d\d`;
const CLOCK = String.raw`\d\d:\d\d:\d\d`;
const DATE_ALONE = new RegExp(String.raw`^(${DATE})(?: 00:00:00(?:\.0+)?(?:\+00)?)?$`);
const TIMESTAMP = new RegExp(String.raw`^(${DATE})(?: (${CLOCK})(?:\.(\d{1,6})0*)?(?:\+00)?)?$`);
const TIME = new RegExp(String.raw`^(${CLOCK})(?:\.(\d{1,6})0*)?$`);

function dateText(cell: string): string | undefined {
  return DATE_ALONE.exec(cell)?.[1];
}

function timestampText(cell: string): string | undefined {
  const [, date, clock = '00:00:00', fraction = ''] = TIMESTAMP.exec(cell) ?? [];
  return date === undefined ? undefined : `${date} ${clock}.${fraction.padEnd(6, '0')}`;
}

function timeText(cell: string): string | undefined {
  const [, clock, fraction = ''] = TIME.exec(cell) ?? [];
  return clock === undefined ? undefined : `${clock}.${fraction.padEnd(6, '0')}`;
}

/** As the servers count them: a pair of surrogates is one. */
function charactersOf(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800) count -= 1;
  }
  return count;
}
