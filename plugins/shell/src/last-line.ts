import { MAX_OUTPUT_BYTES, PluginError } from '@millrace/sdk';

const NEWLINE = 0x0a;
const BLANK = /^[ \t\r]*$/;

/** The last line of a byte stream that is not blank, in bounded memory: a longer one is an error, not cut. */
export class LastLine {
  #last = '';
  #parts: Buffer[] = [];
  #bytes = 0;
  #error: string | undefined;

  add(bytes: Uint8Array): void {
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      this.#keep(bytes.subarray(from, end));
      this.#endLine();
      from = end + 1;
    }
    this.#keep(bytes.subarray(from));
  }

  /** Without its line end; empty when there was none. Throws MR-S182 when it cannot be kept as it is. */
  text(): string {
    this.#endLine();
    if (this.#error !== undefined) throw new PluginError('MR-S182', this.#error);
    return this.#last;
  }

  #keep(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes <= MAX_OUTPUT_BYTES) this.#parts.push(Buffer.from(bytes));
  }

  #endLine(): void {
    const line = Buffer.concat(this.#parts);
    const isWhole = this.#bytes <= MAX_OUTPUT_BYTES;
    this.#parts = [];
    this.#bytes = 0;
    if (!isWhole) {
      this.#error = `last_line has more than ${MAX_OUTPUT_BYTES} bytes`;
      return;
    }
    const text = line.toString('utf8').replace(/\r$/, '');
    if (BLANK.test(text)) return;
    this.#last = text;
    this.#error = Buffer.from(line.toString('utf8')).equals(line)
      ? undefined
      : 'last_line is not UTF-8';
  }
}
