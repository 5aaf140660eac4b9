import type { Clock } from '../../domain/clock.js';
import type { Database } from '../../store/database.js';
import {
  advanceBackfills,
  backfillEvent,
  type LiveBackfill,
  liveBackfills,
} from '../../store/sql/advance-backfills.sql.js';
import { cancelInstances } from '../../store/sql/cancel-instances.sql.js';
import { dryRunSkipped } from '../../store/sql/skip-dates.sql.js';
import { writeEvents } from '../../store/sql/write-events.sql.js';
import type { WakeBus } from '../../store/wake-bus.js';
import { Loop, type LoopLogger } from '../loop.js';
import { makeDates, type Scenes } from './make-backfill.js';

/** Every finished batch wakes the loops: they look at most this often. */
const PACE_MS = 200;
const LIVE_REST_MS = 1000;
const IDLE_REST_MS = 5000;
/** What a version says is read anew after so long. */
const MAKING_ROUND_MS = 2000;

/**
 * Takes every backfill as far as it can go now: cancels what is being cancelled, lets skipped dates of a chain
 * pass, closes business dates that are over, opens the next ones. Returns how much has changed.
 */
export async function driveBackfills(
  database: Database,
  now: Date,
): Promise<{ readonly live: number; readonly changed: number }> {
  const live = await liveBackfills(database);
  if (live.length === 0) return { live: 0, changed: 0 };
  let changed = 0;
  for (const backfill of live) {
    changed +=
      backfill.state === 'cancelling'
        ? await cancelBackfill(database, backfill, now)
        : await finishSkipped(database, backfill, now);
  }
  changed += await database.transaction((tx) => advanceBackfills(tx, live, now));
  return { live: live.length, changed };
}

/** In transactions of 500 instances: the line must not wait for thousands of rows to be let go. */
async function cancelBackfill(
  database: Database,
  backfill: LiveBackfill,
  now: Date,
): Promise<number> {
  const scope = { planDay: backfill.planDay, runGroupId: backfill.id };
  let changed = 0;
  for (;;) {
    const found = await database.transaction((tx) => cancelInstances(tx, scope, now));
    if (found === 0) break;
    changed += found;
  }
  return await database.transaction(async (tx) => {
    const ended = await tx.run(
      `UPDATE backfill b SET state = 'cancelled', ended_at = $3
        WHERE b.run_group_id = $2 AND b.state = 'cancelling'
          AND NOT EXISTS (SELECT FROM node_instance i WHERE i.plan_day = $1 AND i.run_group_id = $2
                             AND i.status NOT IN ('succeeded', 'failed', 'cancelled'))`,
      [backfill.planDay, backfill.id, now],
    );
    if (ended > 0) await writeEvents(tx, now, [backfillEvent(backfill, 'cancelled')]);
    return changed + ended;
  });
}

async function finishSkipped(
  database: Database,
  backfill: LiveBackfill,
  now: Date,
): Promise<number> {
  let changed = 0;
  for (;;) {
    const found = await database.transaction((tx) => dryRunSkipped(tx, backfill, now));
    if (found === 0) return changed;
    changed += found;
  }
}

/** Woken by whatever finishes; with no backfill at work it asks one small question in five seconds. */
export function createBackfillLoop(
  database: Database,
  clock: Clock,
  wakeBus: WakeBus,
  logger: LoopLogger,
): Loop {
  return new Loop({
    name: 'backfills',
    logger,
    clock,
    round: async () => {
      const { changed, live } = await driveBackfills(database, clock.now());
      if (changed === 0) return live > 0 ? LIVE_REST_MS : IDLE_REST_MS;
      wakeBus.wake();
      return 'again';
    },
    paceMs: PACE_MS,
  });
}

/** Makes the business dates of large backfills beside the loop that opens them. */
export function createBackfillMaker(
  database: Database,
  clock: Clock,
  wakeBus: WakeBus,
  logger: LoopLogger,
  crashPoint: (name: string) => Promise<void>,
): Loop {
  return new Loop({
    name: 'backfill-dates',
    logger,
    clock,
    round: async () => {
      const scenes: Scenes = new Map();
      const end = performance.now() + MAKING_ROUND_MS;
      for (let all = 0; ;) {
        const made = await makeDates(database, clock.now(), scenes, crashPoint);
        all += made;
        if (made > 0 && performance.now() < end) continue;
        if (all === 0) return IDLE_REST_MS;
        wakeBus.wake();
        return 'again';
      }
    },
    paceMs: PACE_MS,
  });
}
