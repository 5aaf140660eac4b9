import { encodeDayId } from '../../domain/ids.js';
import { judgeUnlink } from '../../domain/instance/operation.js';
import type { EdgeOutcome } from '../../domain/instance/status.js';
import { MillraceError } from '../../domain/errors.js';
import type { Sql } from '../database.js';
import type { InstanceKey, InstanceRow } from './instance-row.js';
import { lockOne } from './operate-instance.sql.js';
import { moveChildren } from './move-children.sql.js';
import { settleEdges } from './settle-edges.sql.js';
import { statusEvent, writeEvents } from './write-events.sql.js';

interface Edge {
  readonly upstream_plan_day: string;
  readonly upstream_id: number;
  readonly outcome: EdgeOutcome;
  readonly removed: boolean;
}

/**
 * Removes edges of an instance that waits, for good: also its reruns do not wait for these upstreams. Its
 * lock is enough against their end: a finish changes an edge only under the lock of the child, and leaves
 * one alone that has been removed by then.
 */
export async function unlinkUpstreams(
  tx: Sql,
  key: InstanceKey,
  upstreams: readonly InstanceKey[],
  now: Date,
): Promise<void> {
  const row = await lockOne(tx, key);
  const edges = await edgesOf(tx, row, upstreams);
  const verdict = judgeUnlink(
    { ...row, rerunMode: 'always' },
    upstreams.map((each) => each.id),
    new Set(edges.map((edge) => edge.upstream_id)),
  );
  if (verdict.verdict === 'refused') throw new MillraceError(verdict.code, verdict.reason);
  await tx.run(
    `UPDATE instance_edge SET removed = true, forced = false
      WHERE plan_day = $1 AND downstream_id = $2 AND upstream_id = ANY($3::bigint[])`,
    [row.plan_day, row.id, edges.map((edge) => edge.upstream_id)],
  );
  await writeEvents(tx, now, [
    {
      ...statusEvent(row, row.status, {
        upstreams: edges.map((edge) =>
          encodeDayId('inst', { planDay: edge.upstream_plan_day, id: edge.upstream_id }),
        ),
      }),
      type: 'instance.unlinked',
    },
  ]);
  const held = edges.filter(
    ({ outcome, removed }) => !removed && (outcome === 'open' || outcome === 'failed'),
  );
  await settleEdges(tx, await moveChildren(tx, [row], new Map([[row.id, -held.length]]), now), now);
}

async function edgesOf(
  tx: Sql,
  row: InstanceRow,
  upstreams: readonly InstanceKey[],
): Promise<Edge[]> {
  return await tx.rows<Edge>(
    `SELECT upstream_plan_day, upstream_id, outcome, removed FROM instance_edge
      WHERE plan_day = $1 AND downstream_id = $2 AND upstream_id = ANY($3::bigint[])
        AND (NOT removed OR forced)`,
    [row.plan_day, row.id, upstreams.map((each) => each.id)],
  );
}
