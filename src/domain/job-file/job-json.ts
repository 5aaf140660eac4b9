import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { MillraceError, type FieldError } from '../errors.js';

/** Where in the text something stands; both count from 1. */
export interface JobPlace {
  /** `$.job.content[0].reader`. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** `lost`: rows or target would be others. `changed`: said in other words. `unused`: no effect on the rows. */
export const JOB_NOTE_LEVELS = ['lost', 'changed', 'unused'] as const;

/** What the user must know about a part of an imported file. */
export interface JobNote extends JobPlace {
  readonly level: (typeof JOB_NOTE_LEVELS)[number];
  readonly detail: string;
}

const SECRET_KEY = /password|secret|access_?key|access_?id|token|credential/i;
const SHOWN_CHARACTERS = 80;
const WITHOUT_EFFECT = 'without effect on the rows';

export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** The text of a job file, which of its parts were taken over, and what there is to say about it. */
class JobText {
  readonly text: string;
  readonly taken = new Set<Node>();
  readonly notes: JobNote[] = [];
  readonly #lineStarts: number[] = [0];

  constructor(text: string) {
    this.text = text;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
      this.#lineStarts.push(at + 1);
    }
  }

  placeOf(offset: number): { line: number; column: number } {
    let line = this.#lineStarts.findLastIndex((start) => start <= offset);
    if (line < 0) line = 0;
    return { line: line + 1, column: offset - (this.#lineStarts[line] ?? 0) + 1 };
  }
}

function pathOf(parent: string, key: string | number): string {
  if (typeof key === 'number') return `${parent}[${key}]`;
  return /^[A-Za-z_]\w*$/.test(key) ? `${parent}.${key}` : `${parent}[${JSON.stringify(key)}]`;
}

/** MR-D215 with line and column of each place that is no JSON. */
function syntaxError(source: JobText, errors: readonly ParseError[]): MillraceError {
  const list = errors.slice(0, 5).map(({ error, offset }) => {
    const { line, column } = source.placeOf(offset);
    const words = printParseErrorCode(error).replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ');
    return `line ${line}, column ${column}: ${words.toLowerCase()}`;
  });
  return new MillraceError('MR-D215', list.join('; '));
}

/**
 * A value of a job file that knows where it stands. Reading it marks it as taken over; what nobody has read
 * in the end is told by {@link JobValue.leftOver}, so that nothing is dropped in silence.
 */
export class JobValue {
  readonly #source: JobText;
  readonly #node: Node;
  readonly path: string;

  private constructor(source: JobText, node: Node, path: string) {
    this.#source = source;
    this.#node = node;
    this.path = path;
  }

  /** Reads JSON with comments and commas before a closing bracket. Throws MR-D215. */
  static parse(text: string): JobValue {
    const source = new JobText(text.replace(/^\uFEFF/, ''));
    const errors: ParseError[] = [];
    const node = parseTree(source.text, errors, { allowTrailingComma: true });
    if (errors.length > 0) throw syntaxError(source, errors);
    if (node === undefined)
      throw new MillraceError('MR-D215', 'line 1, column 1: nothing is there');
    return new JobValue(source, node, '$');
  }

  get type(): 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null' {
    const { type } = this.#node;
    return type === 'property' ? 'null' : type;
  }

  get place(): JobPlace {
    return { path: this.path, ...this.#source.placeOf(this.#node.offset) };
  }

  get notes(): readonly JobNote[] {
    return this.#source.notes;
  }

  note(level: JobNote['level'], detail: string): void {
    this.#source.notes.push({ level, ...this.place, detail });
  }

  /** MR-D216 at this place. */
  refuse(detail: string): MillraceError {
    const { path, line, column } = this.place;
    const errors: FieldError[] = [
      { pointer: path, detail: `line ${line}, column ${column}: ${detail}` },
    ];
    const where = `${path} (line ${line}, column ${column})`;
    return new MillraceError('MR-D216', `${where}: ${detail}`, { errors });
  }

  /** Neither absent nor null. Of a key that is there twice the last counts, as everywhere in JSON. */
  child(key: string): JobValue | undefined {
    const found = this.#property(key);
    if (found === undefined) return undefined;
    if (found.type !== 'null') return found;
    found.take();
    return undefined;
  }

  /** {@link child}, an object. MR-D216 for anything else. */
  object(key: string): JobValue | undefined {
    const found = this.child(key);
    if (found === undefined) return undefined;
    if (found.type !== 'object') throw found.refuse(`an object is expected, not ${found.words()}`);
    return found;
  }

  keys(): readonly string[] {
    if (this.type !== 'object') return [];
    return (this.#node.children ?? []).map((property) => String(property.children?.[0]?.value));
  }

  /** The items of a list; a value that is no list is a list of itself, as the tools take it. */
  items(key: string): readonly JobValue[] {
    return this.child(key)?.elements() ?? [];
  }

  elements(): readonly JobValue[] {
    if (this.type !== 'array') return [this];
    this.take();
    return (this.#node.children ?? []).map(
      (node, i) => new JobValue(this.#source, node, pathOf(this.path, i)),
    );
  }

  /** Text, also of a number or a boolean, with its digits as written. */
  text(key: string): string | undefined {
    return this.child(key)?.scalar();
  }

  /** A text that says something: an empty one means as much as none. */
  filled(key: string): string | undefined {
    const text = this.text(key);
    return text === undefined || text.trim() === '' ? undefined : text;
  }

  scalar(): string {
    if (this.type === 'object' || this.type === 'array') {
      throw this.refuse(`a text is expected, not ${this.words()}`);
    }
    this.take();
    if (this.type === 'string') return String(this.#node.value);
    return this.#source.text.slice(this.#node.offset, this.#node.offset + this.#node.length);
  }

  /** A whole number, of digits or of a text with digits; an empty text is none. */
  integer(key: string): number | undefined {
    const text = this.filled(key);
    if (text === undefined) return undefined;
    const number = Number(text.trim());
    if (/^-?\d+(\.0+)?$/.test(text.trim()) && Number.isSafeInteger(number)) return number;
    throw this.child(key)?.refuse(`a whole number is expected, not ${text}`) ?? new Error(key);
  }

  number(key: string): number | undefined {
    const text = this.filled(key);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (Number.isFinite(number)) return number;
    throw this.child(key)?.refuse(`a number is expected, not ${text}`) ?? new Error(key);
  }

  boolean(key: string): boolean | undefined {
    const text = this.filled(key)?.toLowerCase();
    if (text === undefined) return undefined;
    if (text === 'true' || text === 'false') return text === 'true';
    throw this.child(key)?.refuse(`true or false is expected, not ${text}`) ?? new Error(key);
  }

  /** Everything below as plain data, numbers that a JavaScript number would change as text. */
  plain(): unknown {
    this.take();
    if (this.type === 'array') return this.elements().map((each) => each.plain());
    if (this.type === 'object') {
      return Object.fromEntries(
        this.keys().map((key) => [key, this.#property(key)?.plain() ?? null]),
      );
    }
    if (this.type !== 'number') return this.#node.value;
    const text = this.scalar();
    return String(Number(text)) === text ? Number(text) : text;
  }

  /** Says that this has been dealt with. */
  take(): void {
    this.#source.taken.add(this.#node);
  }

  /** Notes these parts, as far as they say something, and deals with them. */
  passOver(keys: readonly string[], detail?: string): void {
    for (const key of keys) {
      const found = this.child(key);
      if (found === undefined) continue;
      if (!found.#isEmpty()) found.note('unused', detail ?? found.#shown(WITHOUT_EFFECT));
      for (const each of found.elements()) each.take();
    }
  }

  /** Notes everything below that nobody has read and that says something. */
  leftOver(level: 'lost' | 'unused' = 'lost'): void {
    if (this.#source.taken.has(this.#node) && this.type !== 'array') return;
    if (this.type === 'object') {
      for (const property of this.#node.children ?? []) this.#propertyOf(property)?.leftOver(level);
      return;
    }
    if (this.type === 'array') {
      for (const each of this.#itemsUntouched()) each.leftOver(level);
      return;
    }
    if (this.#isEmpty()) return;
    this.note(level, this.#shown(level === 'lost' ? 'not carried over' : WITHOUT_EFFECT));
    this.take();
  }

  #isEmpty(): boolean {
    if (this.type === 'object' || this.type === 'array')
      return (this.#node.children ?? []).length === 0;
    return this.type === 'null' || this.#node.value === '';
  }

  #shown(what: string): string {
    return isSecretKey(this.path) ? what : `${what}: ${this.words()}`;
  }

  words(): string {
    const { offset, length } = this.#node;
    const text = this.#source.text.slice(offset, offset + length).replaceAll(/\s+/g, ' ');
    return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  }

  #itemsUntouched(): readonly JobValue[] {
    return (this.#node.children ?? []).map(
      (node, i) => new JobValue(this.#source, node, pathOf(this.path, i)),
    );
  }

  #property(key: string): JobValue | undefined {
    if (this.type !== 'object') return undefined;
    const found = (this.#node.children ?? []).findLast((each) => each.children?.[0]?.value === key);
    return found === undefined ? undefined : this.#propertyOf(found);
  }

  #propertyOf(property: Node): JobValue | undefined {
    const [key, value] = property.children ?? [];
    if (key === undefined || value === undefined) return undefined;
    return new JobValue(this.#source, value, pathOf(this.path, String(key.value)));
  }
}
