import { PluginHost } from '../../src/plugin-host/plugin-host.js';
import { driveBackfills } from '../../src/scheduler/backfill/backfill-loop.js';
import { InstanceGenerator } from '../../src/scheduler/instance-generator.js';
import { ScheduleCommands } from '../../src/scheduler/scheduler-commands.js';
import { secretBoxOf } from '../../src/store/secret-box-of.js';
import type { Clock } from '../../src/domain/clock.js';
import type { Database } from '../../src/store/database.js';
import { reapLostAttempts } from '../../src/store/sql/reap-lost-attempts.sql.js';
import { releaseDue } from '../../src/store/sql/release-due.sql.js';
import { WakeBus } from '../../src/store/wake-bus.js';
import { SqlWorkerLink } from '../../src/worker-link/sql-worker-link.js';
import type { Claim, FinishReport, WorkerHello } from '../../src/worker-link/worker-link.js';
import { LINK_PROTOCOL } from '../../src/worker-link/worker-link.js';
import { openStore } from './store.js';

/** A clock that stands where a test put it. */
export class FakeClock implements Clock {
  #now: Date;

  constructor(now: string) {
    this.#now = new Date(now);
  }

  now(): Date {
    return new Date(this.#now);
  }

  set(now: string): void {
    this.#now = new Date(now);
  }

  advance(ms: number): void {
    this.#now = new Date(this.#now.getTime() + ms);
  }
}

export interface InstanceView {
  readonly id: number;
  readonly plan_day: string;
  readonly node: string;
  readonly status: string;
  readonly bizdate: string;
  readonly scheduled_at: Date;
  readonly pending: number;
  readonly epoch: number;
  readonly attempt: number;
  readonly run_number: number;
  readonly reason: string | null;
  readonly dry_run: boolean;
  readonly frozen: boolean;
}

const KEY = 'a test key that is long enough for the box';

/** The line without processes: a store, the commands, a link, and a clock the test moves. */
export class Line implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly database: Database;
  readonly url: string;
  readonly commands: ScheduleCommands;
  readonly generator: InstanceGenerator;
  readonly link: SqlWorkerLink;
  readonly wakeBus: WakeBus;
  readonly workspaceId: number;
  readonly groupId: number;
  readonly #dispose: () => Promise<void>;

  private constructor(
    parts: Pick<
      Line,
      | 'clock'
      | 'database'
      | 'url'
      | 'commands'
      | 'generator'
      | 'link'
      | 'wakeBus'
      | 'workspaceId'
      | 'groupId'
    >,
    dispose: () => Promise<void>,
  ) {
    this.clock = parts.clock;
    this.database = parts.database;
    this.url = parts.url;
    this.commands = parts.commands;
    this.generator = parts.generator;
    this.link = parts.link;
    this.wakeBus = parts.wakeBus;
    this.workspaceId = parts.workspaceId;
    this.groupId = parts.groupId;
    this.#dispose = dispose;
  }

  static async open(
    options: {
      readonly now?: string;
      readonly timezone?: string;
      readonly slots?: number;
      readonly leaseMs?: number;
    } = {},
  ): Promise<Line> {
    const store = await openStore();
    const { database, url } = store;
    const clock = new FakeClock(options.now ?? '2026-11-21T04:00:00Z');
    const wakeBus = await WakeBus.open(url);
    const plugins = await PluginHost.open([]);
    const [workspace] = await database.rows<{ id: number }>(
      `INSERT INTO workspace (name, timezone) VALUES ('shop', $1) RETURNING id`,
      [options.timezone ?? 'Asia/Shanghai'],
    );
    const [group] = await database.rows<{ id: number }>(
      `INSERT INTO resource_group (name, slots) VALUES ('default', $1) RETURNING id`,
      [options.slots ?? 10],
    );
    const box = secretBoxOf([KEY]);
    await box.verifyKeys(database);
    const leaseMs = options.leaseMs ?? 30_000;
    return new Line(
      {
        clock,
        database,
        url,
        wakeBus,
        commands: new ScheduleCommands(database, clock, wakeBus, plugins),
        generator: new InstanceGenerator(database, clock, wakeBus, {
          cutoff: '22:00',
          seal: '23:30',
        }),
        link: new SqlWorkerLink({
          database,
          box,
          clock,
          wakeBus,
          leaseMs,
          installation: 'test',
          crashPoint: () => Promise.resolve(),
        }),
        workspaceId: workspace?.id ?? 0,
        groupId: group?.id ?? 0,
      },
      async () => {
        await wakeBus[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose();
  }

  /** Saves a draft and gives the workflow's id. */
  async draft(name: string, draft: unknown): Promise<number> {
    const [row] = await this.database.rows<{ id: number }>(
      `INSERT INTO workflow (workspace_id, name, draft) VALUES ($1, $2, $3)
       ON CONFLICT (workspace_id, name) DO UPDATE SET draft = excluded.draft RETURNING id`,
      [this.workspaceId, name, JSON.stringify(draft)],
    );
    return row?.id ?? 0;
  }

  async submit(
    name: string,
    draft: unknown,
  ): Promise<{ workflowId: number; firstBizdate: string }> {
    const workflowId = await this.draft(name, draft);
    const { firstBizdate } = await this.commands.submitWorkflow({
      workflowId,
      userId: null,
      comment: '',
    });
    return { workflowId, firstBizdate };
  }

  async run(workflowId: number, bizdate: string): Promise<number> {
    const { workflowInstanceId } = await this.commands.runWorkflow({
      workflowId,
      userId: null,
      bizdate,
      parameters: {},
    });
    return workflowInstanceId;
  }

  async worker(hello: Partial<WorkerHello> = {}): Promise<FakeWorker> {
    const { workerId } = await this.link.register({
      name: 'fake',
      resourceGroup: 'default',
      protocol: LINK_PROTOCOL,
      capacity: 100,
      nodeTypes: ['virtual', 'shell', 'sync'],
      dataSourceTypes: [],
      plugins: [],
      addresses: [],
      ...hello,
    });
    return new FakeWorker(this.link, workerId);
  }

  async release(): Promise<void> {
    await driveBackfills(this.database, this.clock.now());
    while ((await this.database.transaction((tx) => releaseDue(tx, this.clock.now(), 500))) > 0);
  }

  async reap(leaseMs: number): Promise<number> {
    return await this.database.transaction((tx) => reapLostAttempts(tx, this.clock.now(), leaseMs));
  }

  /** Releases, claims and finishes until nothing moves; the order in which nodes were run. */
  async drain(
    worker: FakeWorker,
    outcome: (claim: Claim) => Partial<FinishReport> = () => ({}),
  ): Promise<string[]> {
    const order: string[] = [];
    for (;;) {
      await this.release();
      const claims = await worker.claim(100);
      if (claims.length === 0) return order;
      for (const claim of claims) {
        order.push(claim.nodeName);
        await worker.finish(claim, outcome(claim));
      }
    }
  }

  async instances(where = 'true'): Promise<InstanceView[]> {
    return await this.database.rows<InstanceView>(
      `SELECT i.id, i.plan_day, n.name AS node, i.status, i.bizdate, i.scheduled_at, i.pending, i.epoch,
              i.attempt, i.run_number, i.reason, i.dry_run, i.frozen
         FROM node_instance i JOIN node n ON n.id = i.node_id WHERE ${where}
        ORDER BY i.scheduled_at, i.id`,
    );
  }

  async statuses(): Promise<Record<string, string>> {
    return Object.fromEntries((await this.instances()).map((each) => [each.node, each.status]));
  }

  /** Engine I5: `pending` is the number of edges that are not satisfied, awaited ones too. */
  async wrongPendings(): Promise<number> {
    const [row] = await this.database.rows<{ wrong: number }>(
      `SELECT count(*)::int AS wrong FROM node_instance i
        WHERE i.pending <> (SELECT count(*) FROM instance_edge e
                             WHERE e.plan_day = i.plan_day AND e.downstream_id = i.id AND NOT e.removed
                               AND e.outcome IN ('open', 'failed'))
                         + (SELECT count(*) FROM awaited_edge a
                             WHERE a.downstream_id = i.id AND NOT a.forced)`,
    );
    return row?.wrong ?? -1;
  }
}

/** A worker without processes: claims and reports when the test says so. */
export class FakeWorker {
  readonly link: SqlWorkerLink;
  readonly workerId: number;

  constructor(link: SqlWorkerLink, workerId: number) {
    this.link = link;
    this.workerId = workerId;
  }

  async claim(free: number): Promise<readonly Claim[]> {
    const answer = await this.link.poll(
      { workerId: this.workerId, free, freeRequests: 0, stopping: [], waitMs: 0 },
      new AbortController().signal,
    );
    return answer.claims;
  }

  async finish(claim: Claim, report: Partial<FinishReport> = {}): Promise<number> {
    const refused = await this.link.finish(this.workerId, [
      {
        planDay: claim.planDay,
        instanceId: claim.instanceId,
        epoch: claim.epoch,
        outcome: 'succeeded',
        ...report,
      },
    ]);
    return refused.length;
  }
}

/** A node for {@link Line.submit}. */
export function node(id: string, needs: readonly string[] = [], more: object = {}): object {
  return { id, type: 'shell', config: { command: 'true' }, needs, ...more };
}
