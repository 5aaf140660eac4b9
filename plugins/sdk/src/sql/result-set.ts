import { PluginError } from '../error.js';
import { MAX_OUTPUT_BYTES, type Outputs } from '../output.js';

/** What a SQL node can produce of the last statement that returns rows. */
export const RESULT_OUTPUTS = ['value', 'column', 'rows'] as const;
type ResultOutput = (typeof RESULT_OUTPUTS)[number];

/**
 * The result of a script's last statement with rows, as far as its node has declared outputs of it: `value`
 * is the first cell of the first row (none when that is NULL or there is no row), `column` the first cell of
 * each row and `rows` all cells of each row, both as JSON; cells are the server's text or null.
 */
export class ResultSet {
  readonly #wanted: ReadonlySet<string>;
  #hasResult = false;
  #hasBytes = false;
  #value: string | null = null;
  #column = new JsonList('column');
  #rows = new JsonList('rows');

  constructor(wanted: readonly string[]) {
    this.#wanted = new Set(wanted);
  }

  /** Whether cells have to be read at all. */
  get isWanted(): boolean {
    return RESULT_OUTPUTS.some((name) => this.#wanted.has(name));
  }

  /** A statement that returns rows begins: what was before it is forgotten. */
  begin(): void {
    this.#hasResult = true;
    this.#hasBytes = false;
    this.#value = null;
    this.#column = new JsonList('column');
    this.#rows = new JsonList('rows');
  }

  /** Bytes are UTF-8; they need not stay as they are after the call. */
  add(raw: readonly (string | Uint8Array | null)[]): void {
    const cells = raw.map((cell) => this.#textOf(cell));
    const [first = null] = cells;
    if (this.#rows.isEmpty) this.#value = first;
    this.#rows.add(cells, this.#wanted.has('rows'));
    this.#column.add(first, this.#wanted.has('column'));
  }

  #textOf(cell: string | Uint8Array | null): string | null {
    if (cell === null || typeof cell === 'string') return cell;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(cell);
    } catch {
      this.#hasBytes = true;
      return null;
    }
  }

  /** Throws MR-S182 when a list is too large to be kept, or when a cell is no text. */
  outputs(): Outputs {
    if (this.#hasBytes && this.isWanted)
      throw new PluginError('MR-S182', 'a cell of the result is binary: select it as text');
    const texts: Record<ResultOutput, () => string | null> = {
      value: () => this.#value,
      column: () => this.#column.text(),
      rows: () => this.#rows.text(),
    };
    if (!this.#hasResult) return {};
    return Object.fromEntries(
      RESULT_OUTPUTS.filter((name) => this.#wanted.has(name)).flatMap((name) => {
        const text = texts[name]();
        return text === null ? [] : [[name, text] as const];
      }),
    );
  }
}

/** Stops keeping when it is too large: a script may select any number of rows before its last statement. */
class JsonList {
  readonly #name: string;
  #items: string[] = [];
  #length = 0;
  #count = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(item: unknown, isWanted: boolean): void {
    this.#count += 1;
    if (!isWanted || this.#length > MAX_OUTPUT_BYTES) return;
    const text = JSON.stringify(item);
    this.#length += text.length + 1;
    this.#items.push(text);
    if (this.#length > MAX_OUTPUT_BYTES) this.#items = [];
  }

  text(): string {
    if (this.#length <= MAX_OUTPUT_BYTES) return `[${this.#items.join(',')}]`;
    throw new PluginError(
      'MR-S182',
      `${this.#name} of ${this.#count} rows has more than ${MAX_OUTPUT_BYTES} bytes`,
    );
  }
}
