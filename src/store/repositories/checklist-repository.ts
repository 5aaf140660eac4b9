import {
  FIX_ME_NODE,
  FIX_ME_WORKFLOW,
  SAMPLE_DATA_SOURCES,
  SAMPLE_HISTORY,
  SAMPLE_WORKFLOW,
} from '../../domain/sample-names.js';
import type { Sql } from '../database.js';

/** Where something lies that a step of the checklist is about, and when it was done. */
export interface ChecklistFacts {
  readonly sampleWorkflowId: number | null;
  readonly fixMeWorkflowId: number | null;
  /** The run of the sample that succeeded first. */
  readonly sampleRun: DayFact | undefined;
  /** The first success of the failing sample's node, else its latest failure. */
  readonly fixed: DayFact | undefined;
  readonly broken: DayFact | undefined;
  readonly ownDataSource: PlainFact | undefined;
  readonly backfill: PlainFact | undefined;
}

export interface PlainFact {
  readonly id: number;
  readonly at: Date;
}

export interface DayFact extends PlainFact {
  readonly planDay: string;
}

export async function checklistFacts(sql: Sql, workspaceId: number): Promise<ChecklistFacts> {
  const workflows = await sql.rows<{ id: number; name: string }>(
    `SELECT id, name FROM workflow WHERE workspace_id = $1 AND name = ANY ($2::text[])`,
    [workspaceId, [SAMPLE_WORKFLOW, FIX_ME_WORKFLOW]],
  );
  const idOf = (name: string): number | null =>
    workflows.find((each) => each.name === name)?.id ?? null;
  const [sampleWorkflowId, fixMeWorkflowId] = [idOf(SAMPLE_WORKFLOW), idOf(FIX_ME_WORKFLOW)];
  return {
    sampleWorkflowId,
    fixMeWorkflowId,
    sampleRun: await firstGreenRun(sql, workspaceId, sampleWorkflowId),
    fixed: await instanceOf(sql, fixMeWorkflowId, 'succeeded'),
    broken: await instanceOf(sql, fixMeWorkflowId, 'failed'),
    ownDataSource: await ownDataSource(sql, workspaceId),
    backfill: await ownBackfill(sql, workspaceId),
  };
}

/** The first run by hand or by start of which every instance has succeeded. */
async function firstGreenRun(
  sql: Sql,
  workspaceId: number,
  workflowId: number | null,
): Promise<DayFact | undefined> {
  if (workflowId === null) return undefined;
  const [run] = await sql.rows<DayFact>(
    `SELECT i.plan_day AS "planDay", i.workflow_instance_id AS id, max(i.ended_at) AS at
       FROM run_group g
       JOIN node_instance i ON i.plan_day = g.plan_day AND i.run_group_id = g.id
      WHERE g.workspace_id = $1 AND g.kind IN ('test', 'manual') AND i.workflow_id = $2
      GROUP BY i.plan_day, i.workflow_instance_id HAVING bool_and(i.status = 'succeeded')
      ORDER BY at LIMIT 1`,
    [workspaceId, workflowId],
  );
  return run;
}

/** Its first real success, or its latest failure: a set success mends nothing. */
async function instanceOf(
  sql: Sql,
  workflowId: number | null,
  status: 'succeeded' | 'failed',
): Promise<DayFact | undefined> {
  if (workflowId === null) return undefined;
  const [instance] = await sql.rows<DayFact>(
    `SELECT i.plan_day AS "planDay", i.id, i.ended_at AS at
       FROM node n JOIN node_instance i ON i.node_id = n.id
      WHERE n.workflow_id = $1 AND n.name = $2 AND i.status = $3 AND i.ended_at IS NOT NULL
        AND NOT i.dry_run AND i.reason IS DISTINCT FROM 'set_success'
      ORDER BY i.ended_at ${status === 'failed' ? 'DESC' : ''} LIMIT 1`,
    [workflowId, FIX_ME_NODE, status],
  );
  return instance;
}

async function ownDataSource(sql: Sql, workspaceId: number): Promise<PlainFact | undefined> {
  const [source] = await sql.rows<PlainFact>(
    `SELECT id, tested_at AS at FROM data_source
      WHERE workspace_id = $1 AND test_status = 'succeeded' AND tested_at IS NOT NULL
        AND name <> ALL ($2::text[])
      ORDER BY tested_at LIMIT 1`,
    [workspaceId, SAMPLE_DATA_SOURCES],
  );
  return source;
}

async function ownBackfill(sql: Sql, workspaceId: number): Promise<PlainFact | undefined> {
  const [group] = await sql.rows<PlainFact>(
    `SELECT id, created_at AS at FROM run_group
      WHERE workspace_id = $1 AND kind = 'backfill' AND name <> $2 ORDER BY id LIMIT 1`,
    [workspaceId, SAMPLE_HISTORY],
  );
  return group;
}
