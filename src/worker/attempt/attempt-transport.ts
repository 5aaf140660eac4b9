import type { Readable } from 'node:stream';
import type { FromAttempt, ToAttempt } from './attempt-protocol.js';

/** Why a thread or process is no more. */
export interface TransportEnd {
  readonly cause: 'died' | 'memory';
  /** `ended by SIGSEGV`, `exit code 1: …`. */
  readonly detail: string;
}

export interface TransportEvents {
  onMessage(message: FromAttempt): void;
  /** Output that went past the run log (console.log, a crash report). A promise pauses the stream. */
  onOutput(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void>;
  /** Once, when it ended by itself or was killed, after its last message and output. */
  onEnd(end: TransportEnd): void;
}

/** One running attempt's line to its thread or process. */
export interface AttemptTransport {
  /** From now on events go there. */
  listen(events: TransportEvents): void;
  post(message: ToAttempt): void;
  /** Ends it and everything it started, whatever it does. */
  kill(): void;
}

/** Where this thread's process may find programs and its language; nothing else of the worker's environment. */
export function minimalEnv(names: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of ['PATH', 'LANG', 'LC_ALL', 'TZ', 'NODE_EXTRA_CA_CERTS', ...names]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

export async function forwardOutput(
  stream: Readable | null,
  name: 'stdout' | 'stderr',
  events: () => TransportEvents | undefined,
): Promise<void> {
  if (stream === null) return;
  try {
    for await (const bytes of stream) await events()?.onOutput(name, bytes as Buffer);
  } catch {
    // The stream was cut when its process was killed: what was read has been passed on.
  }
}
