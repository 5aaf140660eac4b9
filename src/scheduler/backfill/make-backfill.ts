import type { BackfillRequest } from '../../domain/backfill/backfill-request.js';
import type { Bizdate } from '../../domain/calendar/bizdate.js';
import { MillraceError, registeredCodeOf } from '../../domain/errors.js';
import { type Database, type Sql, sqlStateOf } from '../../store/database.js';
import { backfillEvent } from '../../store/sql/advance-backfills.sql.js';
import {
  allMade,
  dateMade,
  lockMaking,
  makingBackfills,
  nextToMake,
  pauseMaking,
} from '../../store/sql/make-backfill.sql.js';
import { writeEvents } from '../../store/sql/write-events.sql.js';
import { type BackfillScene, backfillScene } from './backfill-scene.js';
import { acceptedVersions } from './backfill-versions.js';
import { withCrossings } from './date-plan.js';
import { insertDate } from './insert-date.js';
import { keepWanted, wantedAs } from './keep-wanted.js';
import { rechain } from './rechain.js';
import { askedIn, wantedOptions } from './wanted-cycles.js';

/** What the dates of an accepted backfill are made from, beside its request. */
export interface BackfillMaking {
  /** Of its workflows, by its versions: renaming one changes nothing of what was asked for. */
  readonly names: readonly string[];
  /** When it was accepted, as ISO text: what is due by then is due at once. */
  readonly at: string;
  /** Of its {@link BackfillScene}; absent: accepted before it had the one that is made now. */
  readonly digest?: string;
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
  const { planDay, versionIds, making, spec } = backfill;
  const date = await nextToMake(tx, id);
  if (date === undefined) {
    await allMade(tx, id);
    return false;
  }
  const read = async (): Promise<BackfillScene> => {
    const versions = await acceptedVersions(tx, versionIds, making.names);
    return await backfillScene(tx, new Date(making.at), planDay, versions, spec);
  };
  const scene = scenes.get(id) ?? (await read());
  scenes.set(id, scene);
  if (making.digest !== undefined && scene.digest !== making.digest)
    throw new MillraceError(
      'MR-S191',
      `${date.bizdate}: a business calendar, a parameter of the workspace or the resource group is another one now.`,
    );
  const plan = await scene.planOn(tx, date.bizdate as Bizdate, id);
  // What is missing or has failed was decided when it was accepted.
  const wantedIn =
    date.wanted === null ? askedIn(wantedOptions(scene, spec)) : wantedAs(date.wanted);
  const wanted = await rechain(tx, plan, keepWanted(plan, wantedIn, scene.overrides));
  const kept = await withCrossings(tx, wanted);
  if (kept.instances.length !== date.instances)
    throw new MillraceError(
      'MR-S191',
      `${date.bizdate} has ${kept.instances.length} instances now, ${date.instances} were accepted.`,
    );
  const identity = { runGroupId: id, planDay, backfill: 'closed' } as const;
  const runs = await insertDate(tx, { ...kept, ...identity }, now);
  await dateMade(tx, id, date.no, runs);
  await crashPoint('backfill:date-made');
  return true;
}
