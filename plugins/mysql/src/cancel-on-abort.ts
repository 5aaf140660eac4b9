import type { MysqlConfig } from './config.js';
import { Session } from './session.js';

const GRACE_MS = 5_000;

/**
 * Ends what a session runs on the server once `signal` aborts: closing the socket alone would let a long
 * statement go on there. First the statement, after five seconds the whole connection. Dispose it when
 * the session's work is over.
 */
export function cancelOnAbort(
  session: Session,
  config: MysqlConfig,
  signal: AbortSignal,
): AsyncDisposable {
  let done = false;
  let wake: () => void = () => undefined;
  let running: Promise<void> = Promise.resolve();
  const cancel = async (): Promise<void> => {
    try {
      await using killer = await Session.open(config, { database: false });
      await killer.run(`KILL QUERY ${session.threadId}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, GRACE_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (done) wake();
      });
      if (!done) await killer.run(`KILL CONNECTION ${session.threadId}`);
    } catch {
      // The thread is gone already, or the server cannot be reached: nothing runs there for us.
    }
    session.destroy();
  };
  const onAbort = (): void => {
    running = cancel();
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    [Symbol.asyncDispose]: async () => {
      done = true;
      signal.removeEventListener('abort', onAbort);
      wake();
      await running;
    },
  };
}
