import { withRoom } from '@millrace/sdk';

import type { FieldForm, FieldWriter } from './field-form.js';
import { literalWriterOf } from './field-literal.js';
import { parameterTypeOf, parameterWriterOf } from './field-parameter.js';

const TAB = 0x09;
const BACKSLASH = 0x5c;
const LETTER_N = 0x4e;
const QUERY = 0x03;
const BULK_EXECUTE = 0xfa;
const WITH_TYPES = 0x80;
const LONGLONG = 0x08;
/** The driver writes the header of a packet there. */
const HEADER_BYTES = 4;
/** Beside twice its bytes a field takes no more, quotes and lengths with it. */
const MOST_AROUND_FIELD = 34;
const MOST_AROUND_LINE = 64;

const NOTHING = Buffer.alloc(0);

/** How lines are written into a command to the server. */
export interface PacketForm {
  readonly head: Uint8Array;
  readonly betweenLines: Uint8Array;
  readonly begin: Uint8Array;
  readonly betweenFields: Uint8Array;
  readonly end: Uint8Array;
  readonly null: Uint8Array;
  readonly writers: readonly FieldWriter[];
  readonly number: (out: Buffer, at: number, no: number) => number;
}

/** Behind `head`, as `INSERT INTO t (…) VALUES `. */
export function textForm(head: string, fields: readonly FieldForm[]): PacketForm {
  return {
    head: Buffer.concat([Buffer.of(QUERY), Buffer.from(head)]),
    betweenLines: Buffer.from(','),
    begin: Buffer.from('('),
    betweenFields: Buffer.from(','),
    end: Buffer.from(')'),
    null: Buffer.from('NULL'),
    writers: fields.map(literalWriterOf),
    number: (out, at, no) => at + out.write(`,${no}`, at, 'latin1'),
  };
}

/**
 * For a statement that was prepared on MariaDB with a parameter for each field, and for the number where lines have
 * one: the server has nothing to parse.
 */
export function bulkForm(
  statementId: number,
  fields: readonly FieldForm[],
  hasNumbers: boolean,
): PacketForm {
  const types = fields.map(parameterTypeOf);
  if (hasNumbers) types.push(LONGLONG);
  const head = Buffer.from([
    BULK_EXECUTE,
    0,
    0,
    0,
    0,
    WITH_TYPES,
    0,
    ...types.flatMap((t) => [t, 0]),
  ]);
  head.writeUInt32LE(statementId, 1);
  return {
    head,
    betweenLines: NOTHING,
    begin: NOTHING,
    betweenFields: NOTHING,
    end: NOTHING,
    null: Buffer.of(1),
    writers: fields.map(parameterWriterOf),
    number: (out, at, no) => {
      out[at] = 0;
      return out.writeBigInt64LE(BigInt(no), at + 1);
    },
  };
}

export interface LinePacketOptions {
  readonly nullable: readonly boolean[];
  /** On a staging table: the number of the next row. */
  readonly nextNo: (() => number) | undefined;
  /** So many are there from the beginning. */
  readonly bytes: number;
  readonly mostBytesOfLine: number;
}

/** Where a line lies. */
export interface PlacedLine {
  readonly chunk: Buffer;
  readonly from: number;
  /** Behind its line feed. */
  readonly to: number;
}

/** One command in the making, bytes of COPY lines to bytes of the server. */
export class LinePacket {
  readonly #form: PacketForm;
  readonly #guards: readonly FieldForm['guard'][];
  readonly #options: LinePacketOptions;
  #out: Buffer;
  #at: number;
  lines: PlacedLine[] = [];

  constructor(form: PacketForm, fields: readonly FieldForm[], options: LinePacketOptions) {
    this.#form = form;
    this.#guards = fields.map((field) => field.guard);
    this.#options = options;
    this.#out = Buffer.allocUnsafe(options.bytes);
    this.#out.set(form.head, HEADER_BYTES);
    this.#at = HEADER_BYTES + form.head.length;
  }

  get bytes(): number {
    return this.#at - HEADER_BYTES;
  }

  /** With room for the header of a packet. It is written over by the next lines after {@link clear}. */
  get command(): Buffer {
    return this.#out.subarray(0, this.#at);
  }

  clear(): void {
    this.#at = HEADER_BYTES + this.#form.head.length;
    this.lines = [];
  }

  /** `false`, and nothing is added, when only the row rules know what becomes of one of its fields, or of its length. */
  add(line: PlacedLine): boolean {
    const { chunk, from, to } = line;
    const form = this.#form;
    const { nullable, nextNo, mostBytesOfLine } = this.#options;
    this.#out = withRoom(
      this.#out,
      this.#at,
      (to - from) * 2 + form.writers.length * MOST_AROUND_FIELD + MOST_AROUND_LINE,
    );
    const out = this.#out;
    const end = to - 1;
    let at = this.#at;
    if (this.lines.length > 0) at = put(out, at, form.betweenLines);
    at = put(out, at, form.begin);
    let field = from;
    for (let no = 0; no < form.writers.length; no++) {
      if (no > 0) at = put(out, at, form.betweenFields);
      let behind = field;
      while (behind < end && chunk[behind] !== TAB) behind += 1;
      if (behind - field === 2 && chunk[field] === BACKSLASH && chunk[field + 1] === LETTER_N) {
        if (nullable[no] !== true) return false;
        at = put(out, at, form.null);
      } else {
        const guard = this.#guards[no];
        const last = guard === undefined ? behind : guard(chunk, field, behind);
        if (last === -1) return false;
        at = form.writers[no]?.(out, at, chunk, field, last) ?? at;
      }
      field = behind + 1;
    }
    if (at - this.#at > mostBytesOfLine) return false;
    if (nextNo !== undefined) at = form.number(out, at, nextNo());
    this.#at = put(out, at, form.end);
    this.lines.push(line);
    return true;
  }
}

/** A few bytes: a loop is done before `set` has begun. */
function put(out: Buffer, from: number, bytes: Uint8Array): number {
  let at = from;
  for (let i = 0; i < bytes.length; i++) out[at++] = bytes[i] ?? 0;
  return at;
}
