import type { BackfillRequest } from '../../src/domain/backfill/backfill-request.js';
import type {
  BackfillAction,
  BackfillControlled,
} from '../../src/scheduler/backfill/control-backfill.js';
import type { BackfillStarted } from '../../src/scheduler/backfill/create-backfill.js';
import type { BackfillForeseen } from '../../src/scheduler/backfill/foresee-backfill.js';
import type { BackfillOrderOptions } from '../../src/scheduler/backfill/planned-backfill.js';
import type { Claim } from '../../src/worker-link/worker-link.js';
import { type FakeWorker, Line, node } from './line.js';

/** A line with one workflow, and what a test asks of its backfills. */
export class Backfills implements AsyncDisposable {
  readonly line: Line;
  readonly workflowId: number;
  id = 0;

  private constructor(line: Line, workflowId: number) {
    this.line = line;
    this.workflowId = workflowId;
  }

  static async open(
    nodes: readonly object[],
    options: Parameters<typeof Line.open>[0] = {},
  ): Promise<Backfills> {
    const line = await Line.open({ slots: 100, ...options });
    const { workflowId } = await line.submit('w', { nodes });
    return new Backfills(line, workflowId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.line[Symbol.asyncDispose]();
  }

  #order(request: Partial<BackfillRequest>): BackfillOrderOptions {
    const { workspaceId } = this.line;
    const { order = 'asc', ...rest } = request;
    return { ...rest, order, workspaceId, workflowId: this.workflowId };
  }

  async plan(request: Partial<BackfillRequest>): Promise<BackfillForeseen> {
    return await this.line.commands.planBackfill(this.#order(request));
  }

  async start(request: Partial<BackfillRequest>, planToken?: string): Promise<BackfillStarted> {
    const order = { ...this.#order(request), userId: null, name: 'b', planToken };
    const started = await this.line.commands.createBackfill(order);
    this.id = started.runGroupId;
    return started;
  }

  async control(action: BackfillAction): Promise<BackfillControlled> {
    const { workspaceId } = this.line;
    return await this.line.commands.controlBackfill({ workspaceId, runGroupId: this.id, action });
  }

  /** Opens and releases what is due, and gives what a worker can have now. */
  async claim(worker: FakeWorker): Promise<readonly Claim[]> {
    await this.line.release();
    return await worker.claim(100);
  }

  async dates(): Promise<Record<string, string>> {
    const rows = await this.line.database.rows<{ bizdate: string; state: string }>(
      `SELECT bizdate, state FROM backfill_date WHERE run_group_id = $1 ORDER BY no`,
      [this.id],
    );
    return Object.fromEntries(rows.map((row) => [row.bizdate.slice(5), row.state]));
  }

  async state(): Promise<string | undefined> {
    const [row] = await this.line.database.rows<{ state: string }>(
      `SELECT state FROM backfill WHERE run_group_id = $1`,
      [this.id],
    );
    return row?.state;
  }
}

/** Business dates of November 2026, both ends included. */
export function november(from: number, to: number): Pick<BackfillRequest, 'ranges'> {
  const bizdate = (no: number): string => `2026-11-${String(no).padStart(2, '0')}`;
  return { ranges: [{ from: bizdate(from), to: bizdate(to) }] };
}

/** What is below `a`, wherever it is. */
export const ALL_BELOW = { mode: 'all_downstream', roots: ['a'], acrossWorkflows: true } as const;

/** A node that waits for one of another workflow. */
export function below(id: string, workflow: string, upstream: string, more: object = {}): object {
  return { ...node(id, [], more), needs: [{ workflow, node: upstream }] };
}

/** Runs all of it; `day node` in the order in which they ran. */
export async function drained(b: Backfills): Promise<string[]> {
  const ran: string[] = [];
  await b.line.drain(await b.line.worker(), (claim) => {
    ran.push(`${claim.bizdate.slice(8)} ${claim.nodeName}`);
    return {};
  });
  return ran;
}

/** `day node < day node`, by the times of the cycles in their workflows' zones. */
export async function edgesOf(
  b: Backfills,
  runGroupId = b.id,
  bizdate?: string,
): Promise<string[]> {
  const rows = await b.line.database.rows<{ edge: string }>(
    `SELECT format('%s %s < %s %s', to_char(d.scheduled_at AT TIME ZONE dv.timezone, 'DD HH24:MI'), dn.name,
              to_char(u.scheduled_at AT TIME ZONE uv.timezone, 'DD HH24:MI'), un.name) AS edge
       FROM instance_edge e
       JOIN node_instance d ON d.plan_day = e.plan_day AND d.id = e.downstream_id
       JOIN workflow_version dv ON dv.id = d.version_id JOIN node dn ON dn.id = d.node_id
       JOIN node_instance u ON u.plan_day = e.upstream_plan_day AND u.id = e.upstream_id
       JOIN workflow_version uv ON uv.id = u.version_id JOIN node un ON un.id = u.node_id
      WHERE d.run_group_id = $1 AND u.run_group_id = $1 AND d.bizdate = coalesce($2, d.bizdate)
      ORDER BY 1`,
    [runGroupId, bizdate ?? null],
  );
  return rows.map((row) => row.edge);
}
