import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** Everything a command touches of its process, so that a test can be a terminal. */
export interface CliIo {
  /** Data, and nothing else: what a pipe gets. */
  readonly stdout: (text: string) => void;
  /** Talk: progress, warnings, errors. */
  readonly stderr: (text: string) => void;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Asks on the terminal; what is typed is not shown. */
  readonly askUnseen: (question: string) => Promise<string>;
  readonly stdinIsTty: boolean;
  readonly stdoutIsTty: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  /** Aborts when nobody reads stdout any more (`millrace logs ID -f | head`). */
  readonly signal: AbortSignal;
}

export function processIo(): CliIo {
  const closed = new AbortController();
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed.abort();
  });
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    stdin: process.stdin,
    askUnseen,
    stdinIsTty: process.stdin.isTTY,
    stdoutIsTty: process.stdout.isTTY,
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    signal: closed.signal,
  };
}

async function askUnseen(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  return await new Promise<string>((resolve) => {
    const end = (typed: string): void => {
      lines.close();
      process.stderr.write('\n');
      resolve(typed);
    };
    lines.once('line', end);
    // The terminal is in raw mode: Ctrl-C comes as a key.
    lines.once('SIGINT', () => {
      end('');
      process.kill(process.pid, 'SIGINT');
    });
    lines.once('close', () => resolve(''));
  });
}
