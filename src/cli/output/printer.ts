import type { CliIo } from '../io.js';
import type { Settings } from '../settings.js';
import { renderTable, type TableColumn } from './table.js';
import { renderYaml } from './yaml.js';

/** Writes answers to stdout in the format the user asked for. */
export class Printer {
  readonly #io: CliIo;
  readonly #settings: Pick<Settings, 'output' | 'color'>;

  constructor(io: CliIo, settings: Pick<Settings, 'output' | 'color'>) {
    this.#io = io;
    this.#settings = settings;
  }

  /** `nameOf` is what `-o name` prints, one per line: the thing the next command takes as its argument. */
  list<T>(
    rows: readonly T[],
    columns: readonly TableColumn<T>[],
    nameOf: (row: T) => string,
  ): void {
    if (this.#settings.output === 'name') {
      this.#io.stdout(rows.map((row) => `${nameOf(row)}\n`).join(''));
    } else if (this.#settings.output === 'table') {
      if (rows.length === 0) this.#io.stderr('Nothing found.\n');
      else this.#io.stdout(renderTable(rows, columns, this.#settings.color));
    } else if (this.#settings.output === 'jsonl') {
      this.#io.stdout(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    } else this.#structured(rows);
  }

  /** One thing: `text` is the form for people. */
  one(value: unknown, name: string, text: () => string): void {
    if (this.#settings.output === 'name') this.#io.stdout(`${name}\n`);
    else if (this.#settings.output === 'table') this.#io.stdout(text());
    else this.#structured(value);
  }

  #structured(value: unknown): void {
    const { output } = this.#settings;
    const indent = output === 'jsonl' ? undefined : 2;
    this.#io.stdout(
      output === 'yaml' ? renderYaml(value) : `${JSON.stringify(value, null, indent)}\n`,
    );
  }
}
