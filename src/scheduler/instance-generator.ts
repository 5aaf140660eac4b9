import {
  type Bizdate,
  bizdateOf,
  bizdateRange,
  parseBizdate,
  plusDays,
} from '../domain/calendar/bizdate.js';
import { localOf } from '../domain/calendar/zone.js';
import type { Clock } from '../domain/clock.js';
import { DEFAULT_JUMP_FACTOR, type SizeJump } from '../domain/plan/size-jump.js';
import type { Database } from '../store/database.js';
import { completePlan } from '../store/sql/complete-plan.sql.js';
import { dropAwaited } from '../store/sql/drop-awaited.sql.js';
import { insertPlan } from '../store/sql/insert-plan.sql.js';
import { openPlan, scheduledGroup } from '../store/sql/open-plan.sql.js';
import { sealPlans } from '../store/sql/seal-plans.sql.js';
import type { WakeBus } from '../store/wake-bus.js';
import { type PlanOrder, planWorkflow } from './plan-workflow.js';

export interface PlanTimes {
  /** Local wall clock `HH:MM` from which tomorrow is planned. */
  readonly cutoff: string;
  /** Local wall clock `HH:MM` from which tomorrow's plan is sealed. */
  readonly seal: string;
}

/** What is done about plans of an unusual size. */
export interface SizeWatch {
  /** So many times the usual instances, or that part of them, is a jump. */
  readonly factor: number;
  readonly onJump: (plan: {
    /** Name. */
    readonly workspace: string;
    readonly timezone: string;
    readonly bizdate: string;
    readonly instances: number;
    readonly usualInstances: number;
    readonly jump: SizeJump;
  }) => void;
}

interface Zone {
  readonly workspace_id: number;
  readonly timezone: string;
  readonly last: string | null;
  readonly first: string;
  /** Days whose planning broke off: they are due again, also when later ones are planned. */
  readonly unfinished: readonly string[] | null;
}

/** After nights off, at most this many missed business dates are planned, the newest ones. */
const MAX_CATCH_UP_DAYS = 7;

/** So that the server writes one workflow while the next is worked out; its memory is bounded by it. */
const PLANNED_AT_ONCE = 2;

/**
 * Plans each next day. Level-triggered: it asks which days should be planned by now and are not, so a
 * night without a scheduler is a rule, not a missed tick (engine rule 12). Planning is idempotent, so
 * two schedulers may do it at once.
 */
export class InstanceGenerator {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #wakeBus: WakeBus;
  readonly #times: PlanTimes;
  readonly #size: SizeWatch;
  /** Named points where a fault test may end this process. */
  readonly #crashPoint: (name: string) => Promise<void>;

  constructor(
    database: Database,
    clock: Clock,
    wakeBus: WakeBus,
    times: PlanTimes,
    size: SizeWatch = { factor: DEFAULT_JUMP_FACTOR, onJump: () => undefined },
    crashPoint: (name: string) => Promise<void> = () => Promise.resolve(),
  ) {
    this.#database = database;
    this.#clock = clock;
    this.#wakeBus = wakeBus;
    this.#times = times;
    this.#size = size;
    this.#crashPoint = crashPoint;
  }

  /** Plans and seals whatever is due by now. Returns the plans it made, as `zone bizdate`. */
  async generateDue(): Promise<string[]> {
    const made: string[] = [];
    const errors: unknown[] = [];
    for (const zone of await this.#zones()) {
      const newest = this.#newestBizdate(zone.timezone);
      for (const bizdate of daysToPlan(zone, newest)) {
        try {
          await this.planDay(zone.workspace_id, zone.timezone, bizdate);
          made.push(`${zone.timezone} ${bizdate}`);
        } catch (error) {
          // Other days and zones must not wait for this one, which is tried again in the next round.
          errors.push(error);
        }
      }
      await this.#seal(zone);
    }
    const dropped = await this.#dropAwaited();
    if (made.length + errors.length + dropped > 0) this.#wakeBus.wake();
    if (errors.length > 0) throw new AggregateError(errors, 'Not everything could be planned.');
    return made;
  }

  /** Plans one business date of a workspace and zone; a workflow that is planned already is left alone. */
  async planDay(workspaceId: number, timezone: string, bizdate: Bizdate): Promise<void> {
    const planDay = await openPlan(this.#database, workspaceId, timezone, bizdate);
    const runGroupId = await scheduledGroup(this.#database, workspaceId);
    const errors: unknown[] = [];
    const versions = (await this.#versions(workspaceId, timezone, bizdate)).values();
    const planNext = async (): Promise<void> => {
      for (const { id: versionId, workflow_id: workflowId } of versions) {
        const day = { workspaceId, timezone, runGroupId, planDay, bizdate };
        // One workflow that cannot be planned must not take the day from the others.
        await this.#planOne({ ...day, workflowId, versionId }).catch((error: unknown) =>
          errors.push(error),
        );
      }
    };
    await Promise.all(Array.from({ length: PLANNED_AT_ONCE }, planNext));
    if (errors.length > 0) {
      throw new AggregateError(errors, `${timezone} ${bizdate} was not planned to its end.`);
    }
    const plan = { workspaceId, timezone, bizdate };
    const sized = await this.#database.transaction((tx) =>
      completePlan(tx, plan, this.#size.factor, this.#clock.now()),
    );
    if (sized?.jump !== undefined) {
      const { jump, ...sizes } = sized;
      this.#size.onJump({ timezone, bizdate, ...sizes, jump });
    }
    await this.#dropAwaited();
  }

  async #dropAwaited(): Promise<number> {
    for (let all = 0; ;) {
      const dropped = await this.#database.transaction((tx) => dropAwaited(tx, this.#clock.now()));
      if (dropped === 0) return all;
      all += dropped;
    }
  }

  async #planOne(order: PlanOrder): Promise<void> {
    const isMade = await this.#database.transaction(async (tx) => {
      const plan = await planWorkflow(tx, order);
      if ((await insertPlan(tx, plan, this.#clock.now())) === undefined) return false;
      await tx.run(
        `UPDATE plan SET instances = instances + $4, edges = edges + $5
          WHERE workspace_id = $1 AND timezone = $2 AND bizdate = $3`,
        [
          order.workspaceId,
          order.timezone,
          order.bizdate,
          plan.instances.length,
          plan.edges.length + plan.outerEdges.length + plan.awaitedEdges.length,
        ],
      );
      await this.#crashPoint('plan:before-commit');
      return true;
    });
    if (isMade) await this.#crashPoint('plan:after-commit');
  }

  async #zones(): Promise<Zone[]> {
    return await this.#database.rows<Zone>(
      `SELECT w.workspace_id, v.timezone, min(v.first_bizdate) AS first,
              (SELECT max(p.bizdate) FROM plan p
                WHERE p.workspace_id = w.workspace_id AND p.timezone = v.timezone) AS last,
              (SELECT array_agg(p.bizdate::text) FROM plan p
                WHERE p.workspace_id = w.workspace_id AND p.timezone = v.timezone
                  AND p.revision = 0) AS unfinished
         FROM workflow w JOIN workflow_version v ON v.workflow_id = w.id
        WHERE w.scheduled GROUP BY w.workspace_id, v.timezone`,
    );
  }

  /** Before the cut-off the newest planned business date is yesterday (it runs today); after it, today. */
  #newestBizdate(timezone: string): Bizdate {
    const now = this.#clock.now();
    const yesterday = bizdateOf(now, timezone);
    return localOf(now, timezone).time >= `${this.#times.cutoff}:00`
      ? plusDays(yesterday, 1)
      : yesterday;
  }

  /** The newest version of each scheduled workflow that is in effect on this business date. */
  async #versions(
    workspaceId: number,
    timezone: string,
    bizdate: Bizdate,
  ): Promise<{ id: number; workflow_id: number }[]> {
    return await this.#database.rows(
      `SELECT DISTINCT ON (v.workflow_id) v.id, v.workflow_id, v.timezone
         FROM workflow_version v JOIN workflow w ON w.id = v.workflow_id
        WHERE w.workspace_id = $1 AND w.scheduled AND v.timezone = $2 AND v.first_bizdate <= $3
          AND NOT EXISTS (SELECT FROM workflow_version newer WHERE newer.workflow_id = v.workflow_id
                             AND newer.version > v.version AND newer.first_bizdate <= $3)
        ORDER BY v.workflow_id, v.version DESC`,
      [workspaceId, timezone, bizdate],
    );
  }

  async #seal(zone: Zone): Promise<void> {
    const now = this.#clock.now();
    const today = plusDays(bizdateOf(now, zone.timezone), 1);
    const sealed =
      localOf(now, zone.timezone).time >= `${this.#times.seal}:00` ? today : plusDays(today, -1);
    await sealPlans(
      this.#database,
      zone.workspace_id,
      zone.timezone,
      sealed,
      now,
      this.#crashPoint,
    );
  }
}

function daysToPlan(zone: Zone, newest: Bizdate): Bizdate[] {
  const from = zone.last === null ? parseBizdate(zone.first) : plusDays(parseBizdate(zone.last), 1);
  const broken = (zone.unfinished ?? []).map((day) => parseBizdate(day));
  return [...broken, ...bizdateRange(from, newest)].sort().slice(-MAX_CATCH_UP_DAYS);
}
