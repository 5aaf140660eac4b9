const LINE_FEED = 0x0a;
const TAB = 0x09;
const MINUS = 0x2d;
const ZERO = 0x30;
const NOTHING = Buffer.alloc(0);
/** Each whole number of so many digits is a double. */
const MOST_DIGITS = 15;
/** The server's word for a key of several columns. */
export const BETWEEN = '-';

/** As the server prints it; the number itself where it is a whole one of few digits. */
export type LineKey = string | number;

/** Where the columns of a key are in a line, in the order of the key. */
export interface KeyShape {
  readonly places: readonly number[];
  readonly isNumber: readonly boolean[];
}

/** Lines told apart by their keys. */
export class LineKeys {
  readonly #parts: readonly Buffer[];
  readonly #shape: KeyShape;
  /** By part, where each of its lines begins. */
  readonly #starts: readonly (readonly number[])[];
  readonly keys: readonly LineKey[];

  /** Of whole lines each. */
  constructor(parts: readonly Buffer[], shape: KeyShape) {
    this.#parts = parts;
    this.#shape = shape;
    const keys: LineKey[] = [];
    this.#starts = parts.map((part) => addKeys(keys, part, shape));
    this.keys = keys;
  }

  line(index: number): Buffer {
    let before = 0;
    for (const [i, starts] of this.#starts.entries()) {
      const no = index - before;
      if (no < starts.length)
        return this.#parts[i]?.subarray(starts[no], starts[no + 1]) ?? NOTHING;
      before += starts.length;
    }
    return NOTHING;
  }

  /** The columns of a key, each as the server prints it. */
  columns(index: number): readonly string[] {
    const line = this.line(index);
    return columnsOf(line, 0, line.length - 1, this.#shape);
  }
}

/** Gives where the lines begin. */
function addKeys(keys: LineKey[], lines: Buffer, shape: KeyShape): readonly number[] {
  const starts: number[] = [];
  const isNumber = isWholeNumber(shape);
  const [place = 0] = shape.places;
  for (let at = 0; at < lines.length;) {
    const end = lines.indexOf(LINE_FEED, at) + 1;
    const number = isNumber ? numberAt(lines, fieldFrom(lines, at, end - 1, place)) : undefined;
    keys.push(number ?? keyOf(columnsOf(lines, at, end - 1, shape).join(BETWEEN), shape));
    starts.push(at);
    at = end;
  }
  return starts;
}

/** A key that was printed. */
export function keyOf(text: string, shape: KeyShape): LineKey {
  return isWholeNumber(shape) && /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

export function isWholeNumber({ isNumber }: KeyShape): boolean {
  return isNumber.length === 1 && isNumber[0] === true;
}

/** `undefined`: it is not plainly one, or too long. No text is made of it: that took ten times as long. */
function numberAt(lines: Buffer, from: number): number | undefined {
  const first = lines[from] === MINUS ? from + 1 : from;
  let number = 0;
  for (let at = first; at <= first + MOST_DIGITS; at++) {
    const byte = lines[at] ?? LINE_FEED;
    if (byte === TAB || byte === LINE_FEED) {
      if (at === first) return undefined;
      return first === from ? number : -number;
    }
    const digit = byte - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return undefined;
}

function columnsOf(
  lines: Buffer,
  from: number,
  end: number,
  { places, isNumber }: KeyShape,
): readonly string[] {
  return places.map((place, i) => {
    const at = fieldFrom(lines, from, end, place);
    const field = lines.toString('latin1', at, fieldEnd(lines, at, end));
    return isNumber[i] === true ? printed(field) : field;
  });
}

function fieldFrom(lines: Buffer, from: number, end: number, place: number): number {
  let at = from;
  for (let before = 0; before < place; before++) at = fieldEnd(lines, at, end) + 1;
  return at;
}

function fieldEnd(lines: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && lines[at] !== TAB) at += 1;
  return at;
}

/** An integer as the server prints it. */
function printed(field: string): string {
  return /^(?:\+|-?0)/.test(field) && /^[+-]?\d+$/.test(field)
    ? String(BigInt(field.replace('+', '')))
    : field;
}
