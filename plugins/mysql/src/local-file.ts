import type { Socket } from 'node:net';

/** So much the driver puts into one packet; the server reads them one by one. */
const PIECE_BYTES = 256 * 1024;

/** What LOAD DATA LOCAL gets as its file, sent while it comes. */
export class LocalFile {
  #waiting: Buffer[] = [];
  #isOver = false;
  #isAnswered = false;
  #wakeReader: () => void = () => undefined;
  #wakeWriter: () => void = () => undefined;

  /** A file that is there as a whole. */
  static of(data: Buffer): LocalFile {
    const file = new LocalFile();
    void file.add(data);
    file.end();
    return file;
  }

  /** Resolves when what was added before is on its way: no more than that waits in this process. */
  async add(data: Buffer): Promise<void> {
    const before = this.#waiting.length > 0;
    this.#waiting.push(data);
    this.#wakeReader();
    if (before && !this.#isAnswered)
      await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
  }

  /** That was all. */
  end(): void {
    this.#isOver = true;
    this.#wakeReader();
  }

  /** The statement is over, whether the server has read all of it or not. */
  close(): void {
    this.#isAnswered = true;
    this.#wakeWriter();
  }

  /**
   * The file as the driver wants it, no faster than `socket` takes it: the driver would hold all of it.
   *
   * The last piece is empty, which ends the file for the server, and the stream itself never ends. At its end the
   * driver would send one and the same packet for all files: where two connections ended theirs at once, one sent
   * the number of the other's, and its server waited for ever. It would also send it behind an answer that is an
   * error, into the next statement.
   */
  async *pieces(socket: Socket | undefined): AsyncGenerator<Buffer> {
    while (!this.#isAnswered) {
      const [data] = this.#waiting;
      if (data !== undefined) {
        for (let at = 0; at < data.length && !this.#isAnswered; at += PIECE_BYTES) {
          yield data.subarray(at, at + PIECE_BYTES);
          await drained(socket);
        }
        this.#waiting.shift();
        this.#wakeWriter();
      } else if (this.#isOver) {
        yield Buffer.alloc(0);
        break;
      } else await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
    await new Promise(() => undefined);
  }
}

async function drained(socket: Socket | undefined): Promise<void> {
  if (socket?.writableNeedDrain !== true) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      socket.off('drain', go).off('close', go);
      resolve();
    };
    socket.on('drain', go).on('close', go);
  });
}
