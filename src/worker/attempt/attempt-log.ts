import type { RunLog } from '@millrace/sdk';
import type { LogStream } from './attempt-job.js';
import type { LogEntry } from './attempt-protocol.js';

const FLUSH_MS = 50;
const FLUSH_BYTES = 16 * 1024;
/** The host takes no more for the moment: what comes then is dropped and counted, memory is not. */
const UNTAKEN_BYTES = 8 * 1024 * 1024;

/** Gathers the run log of one attempt and sends it every 50 ms or 16 KB, whichever comes first. */
export class AttemptLog implements RunLog {
  readonly #send: (entries: readonly LogEntry[]) => void;
  readonly #now: () => number;
  #parts: { stream: LogStream; at: number; bytes: Uint8Array[] }[] = [];
  #gatheredBytes = 0;
  #untakenBytes = 0;
  #droppedBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (entries: readonly LogEntry[]) => void, now: () => number) {
    this.#send = send;
    this.#now = now;
  }

  info(text: string): void {
    this.#add('info', Buffer.from(`${text}\n`));
  }

  warn(text: string): void {
    this.#add('warn', Buffer.from(`${text}\n`));
  }

  error(text: string): void {
    this.#add('error', Buffer.from(`${text}\n`));
  }

  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    this.#add(stream, bytes);
  }

  /** The host has passed on that many bytes. */
  taken(bytes: number): void {
    this.#untakenBytes -= bytes;
    if (this.#droppedBytes > 0 && this.#untakenBytes < UNTAKEN_BYTES / 2) {
      const dropped = this.#droppedBytes;
      this.#droppedBytes = 0;
      this.warn(
        `${dropped} bytes of output came faster than they could be kept and are missing here.`,
      );
    }
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#parts.length === 0) return;
    const entries = this.#parts.map(({ stream, at, bytes }) => {
      return { stream, at, bytes: new Uint8Array(Buffer.concat(bytes)) };
    });
    this.#parts = [];
    this.#gatheredBytes = 0;
    this.#send(entries);
  }

  /** Sends what is left, with a word about what was dropped. */
  close(): void {
    if (this.#droppedBytes > 0) {
      const text = `${this.#droppedBytes} bytes of output came too fast and are missing here.\n`;
      this.#droppedBytes = 0;
      this.#gather('warn', Buffer.from(text));
    }
    this.flush();
  }

  #add(stream: LogStream, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#untakenBytes + bytes.length > UNTAKEN_BYTES) {
      this.#droppedBytes += bytes.length;
      return;
    }
    this.#gather(stream, bytes);
    if (this.#gatheredBytes >= FLUSH_BYTES) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  #gather(stream: LogStream, bytes: Uint8Array): void {
    this.#untakenBytes += bytes.length;
    this.#gatheredBytes += bytes.length;
    const last = this.#parts.at(-1);
    if (last?.stream === stream) last.bytes.push(bytes);
    else this.#parts.push({ stream, at: this.#now(), bytes: [bytes] });
  }
}
