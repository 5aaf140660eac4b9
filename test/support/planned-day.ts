import { parseBizdate } from '../../src/domain/calendar/bizdate.js';
import { PluginHost } from '../../src/plugin-host/plugin-host.js';
import { InstanceGenerator } from '../../src/scheduler/instance-generator.js';
import { ScheduleCommands } from '../../src/scheduler/scheduler-commands.js';
import type { Clock } from '../../src/domain/clock.js';
import type { Database } from '../../src/store/database.js';
import type { WakeBus } from '../../src/store/wake-bus.js';

export interface PlannedDay {
  readonly workspaceId: number;
  readonly workflow: string;
  /** So many virtual nodes, each needing the one before it within its chain. */
  readonly nodes?: number;
  /** How many nodes are in one chain; 1: none needs another. */
  readonly chain?: number;
  readonly bizdate: string;
  readonly cron?: string;
  /** A draft of one's own instead of `nodes`, `chain` and `cron`. */
  readonly spec?: object;
}

/**
 * Submits workflows of virtual nodes and plans a business date of them through the real generator, which
 * is how tests and benchmarks get many instances. The scheduled times decide how many a node has.
 */
export async function planDay(
  { database, wakeBus, clock }: { database: Database; wakeBus: WakeBus; clock: Clock },
  days: readonly PlannedDay[],
): Promise<void> {
  const commands = new ScheduleCommands(database, clock, wakeBus, await PluginHost.open([]));
  const generator = new InstanceGenerator(database, clock, wakeBus, {
    cutoff: '22:00',
    seal: '23:30',
  });
  for (const day of days) {
    const [row] = await database.rows<{ id: number }>(
      `INSERT INTO workflow (workspace_id, name, draft, scheduled) VALUES ($1, $2, $3, true) RETURNING id`,
      [day.workspaceId, day.workflow, JSON.stringify(day.spec ?? draftOf(day))],
    );
    await commands.submitWorkflow({ workflowId: row?.id ?? 0, userId: null, comment: '' });
    await database.run(`UPDATE workflow_version SET first_bizdate = $2 WHERE workflow_id = $1`, [
      row?.id,
      day.bizdate,
    ]);
  }
  for (const { workspaceId, bizdate, timezone } of await dates(database, days))
    await generator.planDay(workspaceId, timezone, parseBizdate(bizdate));
}

function draftOf({ nodes = 1, chain = 1, cron = '0 0 * * *' }: PlannedDay): object {
  return {
    schedule: { cron },
    nodes: Array.from({ length: nodes }, (_, no) => ({
      id: `node_${no}`,
      type: 'shell',
      config: { command: 'true' },
      needs: no % chain === 0 ? [] : [`node_${no - 1}`],
    })),
  };
}

async function dates(
  database: Database,
  days: readonly PlannedDay[],
): Promise<{ workspaceId: number; bizdate: string; timezone: string }[]> {
  return await database.rows(
    `SELECT DISTINCT d.workspace_id AS "workspaceId", d.bizdate, v.timezone
       FROM unnest($1::bigint[], $2::text[], $3::text[]) AS d(workspace_id, name, bizdate)
       JOIN workflow w ON w.workspace_id = d.workspace_id AND w.name = d.name
       JOIN workflow_version v ON v.workflow_id = w.id`,
    [
      days.map((day) => day.workspaceId),
      days.map((day) => day.workflow),
      days.map((day) => day.bizdate),
    ],
  );
}
