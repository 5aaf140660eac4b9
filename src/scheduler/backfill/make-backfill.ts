import type { BackfillRequest } from '../../domain/backfill/backfill-request.js';
import type { Bizdate } from '../../domain/calendar/bizdate.js';
import { MillraceError, registeredCodeOf } from '../../domain/errors.js';
import { type Database, type Sql, sqlStateOf } from '../../store/database.js';
import { backfillEvent } from '../../store/sql/advance-backfills.sql.js';
import { insertPlan } from '../../store/sql/insert-plan.sql.js';
import {
  allMade,
  dateMade,
  lockMaking,
  makingBackfills,
  nextToMake,
  pauseMaking,
} from '../../store/sql/make-backfill.sql.js';
import { writeEvents } from '../../store/sql/write-events.sql.js';
import type { LatestVersion } from '../run-workflow.js';
import { type BackfillScene, backfillScene } from './backfill-scene.js';
import { keepWanted, wantedAs } from './keep-wanted.js';
import { rechain } from './rechain.js';
import { wantedCycles, wantedOptions } from './wanted-cycles.js';

/** What the dates of an accepted backfill are made from, beside its request. */
export interface BackfillMaking {
  readonly version: LatestVersion;
  /** When it was accepted, as ISO text: what is due by then is due at once. */
  readonly at: string;
  /** Of its {@link BackfillScene}. */
  readonly digest: string;
}

type CrashPoint = (name: string) => Promise<void>;

export type Scenes = Map<number, BackfillScene>;

/**
 * Makes the instances of the next business date of each accepted backfill, each in a transaction of its own,
 * in the order in which the dates will run. Killed in between, the next round goes on with the same date;
 * two schedulers share the dates. What a backfill cannot be made from pauses it, and its row says why.
 * `scenes`: kept for a round, so that a version is not read for each date. Returns how many dates were made.
 */
export async function makeDates(
  database: Database,
  now: Date,
  scenes: Scenes,
  crashPoint: CrashPoint = () => Promise.resolve(),
): Promise<number> {
  let made = 0;
  for (const id of await makingBackfills(database)) {
    try {
      if (await database.transaction((tx) => makeNext(tx, now, id, scenes, crashPoint))) made++;
    } catch (error) {
      if (!isOfBackfill(error)) throw error;
      await pause(database, now, id, error);
    }
  }
  return made;
}

/** Such an error comes again as often as it is tried; others are of the hour, and the loop tries again. */
function isOfBackfill(error: unknown): boolean {
  return registeredCodeOf(error) !== undefined || /^2[23]/.test(sqlStateOf(error) ?? '');
}

async function pause(database: Database, now: Date, id: number, error: unknown): Promise<void> {
  const code = registeredCodeOf(error) ?? 'MR-S190';
  const detail = error instanceof Error ? error.message : String(error);
  await database.transaction(async (tx) => {
    const paused = await pauseMaking(tx, id, code, detail, now);
    await writeEvents(
      tx,
      now,
      paused.map((backfill) => backfillEvent(backfill, 'paused')),
    );
  });
}

async function makeNext(
  tx: Sql,
  now: Date,
  id: number,
  scenes: Scenes,
  crashPoint: CrashPoint,
): Promise<boolean> {
  const backfill = await lockMaking<BackfillMaking, BackfillRequest>(tx, id);
  if (backfill === undefined) return false;
  const { planDay, making, spec } = backfill;
  const date = await nextToMake(tx, id);
  if (date === undefined) {
    await allMade(tx, id);
    return false;
  }
  const { version } = making;
  const scene =
    scenes.get(id) ?? (await backfillScene(tx, new Date(making.at), planDay, version, spec));
  scenes.set(id, scene);
  if (scene.digest !== making.digest)
    throw new MillraceError(
      'MR-S191',
      `${date.bizdate}: a business calendar, a parameter of the workspace or the resource group is another one now.`,
    );
  const plan = await scene.planOn(tx, date.bizdate as Bizdate, id);
  const wantedIn =
    date.wanted === null
      ? await wantedCycles(tx, [plan], { ...wantedOptions(version, scene, spec), only: 'all' })
      : wantedAs(date.wanted);
  const kept = await rechain(tx, plan, keepWanted(plan, wantedIn, scene.overrides));
  if (kept.instances.length !== date.instances)
    throw new MillraceError(
      'MR-S191',
      `${date.bizdate} has ${kept.instances.length} instances now, ${date.instances} were accepted.`,
    );
  const run = await insertPlan(tx, { ...kept, runGroupId: id, planDay, backfill: 'closed' }, now);
  if (run === undefined) throw new MillraceError('MR-A109', `${date.bizdate} was made already.`);
  await dateMade(tx, id, date.no, run);
  await crashPoint('backfill:date-made');
  return true;
}
