import { COPY_ESCAPES, withRoom } from '@millrace/sdk';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const NULL_TEXT = Buffer.from('NULL');
const NULL_LENGTH = -1;
const LENGTH_BYTES = 4;
const HEAD_BYTES = 5 * LENGTH_BYTES;
/** Of most fields of a key: there is more room where it is not enough. */
const FIELD_BYTES = 16;
const ESCAPED = new Map(
  Object.entries(COPY_ESCAPES).map(([letter, character]) => [
    letter.charCodeAt(0),
    character.charCodeAt(0),
  ]),
);

/** Fields of COPY, put together as a value of one of the server's array types. */
export abstract class ArrayValues {
  /** How a parameter has to be written in a statement, to become an array of the type. */
  abstract parameter(no: number, arrayType: string): string;
  protected out: Buffer;
  protected at = 0;

  /** Of so many fields. */
  constructor(count: number) {
    this.out = Buffer.allocUnsafe(HEAD_BYTES + count * FIELD_BYTES);
  }

  abstract addNull(): void;
  /** The field is in `data`, from `from` to `to`. */
  abstract add(data: Buffer, from: number, to: number): void;
  /** These were all. */
  abstract end(): Buffer;

  protected makeRoom(bytes: number): void {
    this.out = withRoom(this.out, this.at, bytes);
  }
}

/** As text: fields of COPY's text format. */
export class TextArray extends ArrayValues {
  addNull(): void {
    this.makeRoom(NULL_TEXT.length + 1);
    this.#separate();
    this.at += NULL_TEXT.copy(this.out, this.at);
  }

  add(data: Buffer, from: number, to: number): void {
    this.makeRoom(2 * (to - from) + 3);
    this.#separate();
    const { out } = this;
    let at = this.at;
    out[at++] = QUOTE;
    for (let i = from; i < to; i++) {
      let byte = data[i] ?? 0;
      if (byte === BACKSLASH) {
        byte = data[++i] ?? 0;
        byte = ESCAPED.get(byte) ?? byte;
      }
      if (byte === QUOTE || byte === BACKSLASH) out[at++] = BACKSLASH;
      out[at++] = byte;
    }
    out[at++] = QUOTE;
    this.at = at;
  }

  end(): Buffer {
    this.makeRoom(2);
    if (this.at === 0) this.out[this.at++] = OPEN;
    this.out[this.at++] = CLOSE;
    return this.out.subarray(0, this.at);
  }

  /** Its bytes are those of a text: the driver would make a string of them and bytes of that. */
  parameter(no: number, arrayType: string): string {
    return `($${no}::text)::${arrayType}`;
  }

  #separate(): void {
    this.out[this.at] = this.at === 0 ? OPEN : COMMA;
    this.at += 1;
  }
}

/** In binary: dimensions, whether NULL may be among them, type, length and lower bound, then the fields. */
export class BinaryArray extends ArrayValues {
  constructor(count: number, elementOid: number) {
    super(count);
    for (const word of [1, 1, elementOid, count, 1]) this.#write(word);
  }

  addNull(): void {
    this.makeRoom(LENGTH_BYTES);
    this.#write(NULL_LENGTH);
  }

  add(data: Buffer, from: number, to: number): void {
    this.makeRoom(LENGTH_BYTES + to - from);
    this.#write(to - from);
    this.at += data.copy(this.out, this.at, from, to);
  }

  end(): Buffer {
    return this.out.subarray(0, this.at);
  }

  parameter(no: number, arrayType: string): string {
    return `$${no}::${arrayType}`;
  }

  #write(word: number): void {
    this.at = this.out.writeInt32BE(word | 0, this.at);
  }
}
