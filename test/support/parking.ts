import type { Line } from './line.js';

export interface Parking {
  /** Somebody waits in {@link park}. */
  readonly reached: Promise<void>;
  /** Lets it go on. */
  readonly leave: () => void;
  readonly park: () => Promise<void>;
}

/** Something that waits until the test lets it go on. */
export function parking(): Parking {
  let arrive: () => void = () => undefined;
  let leave: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  const open = new Promise<void>((resolve) => (leave = resolve));
  return {
    reached,
    leave: () => leave(),
    park: async () => {
      arrive();
      await open;
    },
  };
}

/** Resolves when somebody waits for a lock of the database. */
export async function isBlocked(line: Line): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const [row] = await line.database.rows<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted`,
    );
    if ((row?.waiting ?? 0) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('nobody waits for a lock');
}
