import type { Cluster } from '../cluster.js';
import { makeOld, tablesOfDay } from '../old-day.js';

/** Older than instances are kept: they go, whatever strikes meanwhile. */
const REMOVED_DAYS_AGO = [50, 45, 40];
/** As old, but with a row in quarantine, which is kept longer. */
const QUARANTINED_DAYS_AGO = 35;
/** Not old enough. */
const YOUNG_DAYS_AGO = 10;
const FIRST_DATE = '2019-01-01';
const DAY_MS = 86_400_000;
const SETTLE_MS = 20_000;

const WORKFLOW = {
  nodes: [
    { id: 'before', type: 'virtual', config: {}, selfDependence: true },
    { id: 'behind', type: 'virtual', config: {}, needs: ['before'] },
  ],
};

/** Days that ended long ago: the storm finds retention at work on them, and some of them rerun meanwhile. */
export class OldDays {
  readonly #cluster: Cluster;
  readonly #removed: string[] = [];
  readonly #kept: string[] = [];

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Before anything else runs: all that is there grows old. */
  static async plant(cluster: Cluster): Promise<OldDays> {
    const old = new OldDays(cluster);
    const workflow = await cluster.submit('old', WORKFLOW);
    const ages = [...REMOVED_DAYS_AGO, QUARANTINED_DAYS_AGO, YOUNG_DAYS_AGO];
    for (const [no, daysAgo] of ages.entries()) {
      const bizdate = new Date(Date.parse(FIRST_DATE) + no * DAY_MS).toISOString().slice(0, 10);
      await cluster.runDays(workflow, [bizdate]);
      await cluster.untilDone();
      const day = await makeOld(cluster.database, daysAgo);
      (REMOVED_DAYS_AGO.includes(daysAgo) ? old.#removed : old.#kept).push(day);
      if (daysAgo === QUARANTINED_DAYS_AGO) await old.#quarantine(day);
    }
    return old;
  }

  /** How many of them are gone so far. */
  async gone(): Promise<number> {
    return (await this.#removedDays()).length;
  }

  /** Waits until nothing is left of those that are to go; a scheduler looks when it starts. */
  async untilGone(schedulers: readonly string[]): Promise<void> {
    const { processes } = this.#cluster;
    let looksAgainAt = 0;
    await this.#cluster.until(120_000, 'the old days to be gone', async () => {
      const left = await Promise.all(
        this.#removed.map((day) => tablesOfDay(this.#cluster.database, day)),
      );
      if (left.flat().length === 0) return true;
      if (performance.now() > looksAgainAt) {
        for (const name of schedulers) processes.kill(name);
        looksAgainAt = performance.now() + SETTLE_MS;
      }
      return false;
    });
  }

  /** What went although it was to stay, or stayed although it was to go; empty when all is well. */
  async faults(): Promise<string[]> {
    const removed = await this.#removedDays();
    const rows = await this.#cluster.database.rows<{ day: string; n: number }>(
      `SELECT plan_day AS day, count(*)::int AS n FROM node_instance
        WHERE plan_day = ANY($1::date[]) GROUP BY plan_day`,
      [[...this.#removed, ...this.#kept]],
    );
    const counts = new Map(rows.map(({ day, n }) => [day, n]));
    return [
      ...removed.filter((day) => !this.#removed.includes(day)).map((day) => `${day} was removed`),
      ...this.#removed.filter((day) => !removed.includes(day)).map((day) => `${day} stayed`),
      ...this.#removed.filter((day) => counts.has(day)).map((day) => `${day} has instances`),
      ...this.#kept
        .filter((day) => counts.get(day) !== WORKFLOW.nodes.length)
        .map((day) => `${day} has ${counts.get(day) ?? 0} instances`),
    ];
  }

  async #removedDays(): Promise<string[]> {
    const rows = await this.#cluster.database.rows<{ day: string }>(
      'SELECT plan_day AS day FROM removed_day',
    );
    return rows.map(({ day }) => day);
  }

  async #quarantine(day: string): Promise<void> {
    await this.#cluster.database.run(
      `INSERT INTO dirty_record (plan_day, instance_id, epoch, no, slice_no, code, reason, cells, stage)
       SELECT plan_day, id, epoch, 1, 1, 'MR-D202', 'too long', '["x"]', 'target'
         FROM node_instance WHERE plan_day = $1 ORDER BY id LIMIT 1`,
      [day],
    );
  }
}
