import type { WakeBus } from '../store/wake-bus.js';

/** A wake-up that is listened for. */
export interface NextWake {
  /** Resolves when it comes, after so many milliseconds, or when the signal aborts. */
  within(ms: number): Promise<void>;
  /** As if it had come. */
  wake(): void;
  cancel(): void;
}

/** Listens for work from now on, so that a wake-up between looking and waiting is not lost. */
export function nextWake(wakeBus: WakeBus, signal: AbortSignal): NextWake {
  let wake: () => void = () => undefined;
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const unsubscribe = wakeBus.subscribe('work', wake);
  signal.addEventListener('abort', wake, { once: true });
  let timer: NodeJS.Timeout | undefined;
  return {
    wake: () => wake(),
    within: async (ms) => {
      timer = setTimeout(wake, Math.max(0, ms));
      await woken;
    },
    cancel: () => {
      clearTimeout(timer);
      unsubscribe();
      signal.removeEventListener('abort', wake);
    },
  };
}
