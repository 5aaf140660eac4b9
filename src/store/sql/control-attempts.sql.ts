import type { ChannelChange } from '../../domain/channel/channel-change.js';
import type { Sql } from '../database.js';
import { daysOf, onDays } from './instance-row.js';
import { storableJson } from '../storable.js';
import { type HeldAttempt, KEEP_PROGRESS } from './renew-lease.sql.js';

export interface ControlledAttempt {
  readonly planDay: string;
  readonly instanceId: number;
  readonly epoch: number;
  readonly channel: ChannelChange;
  /** The data sources with a rate limit that its version uses. */
  readonly limited: readonly { readonly id: number; readonly name: string }[];
}

/** Keeps the progress of a worker's running attempts and tells what has been set for them; others are left out. */
export async function controlAttempts(
  sql: Sql,
  workerId: number,
  attempts: readonly HeldAttempt[],
): Promise<readonly ControlledAttempt[]> {
  return await sql.rows<ControlledAttempt>(
    `WITH own AS (
       SELECT a.plan_day, a.instance_id, a.epoch, r.progress
         FROM unnest($2::bigint[], $3::int[], $4::jsonb[]) AS r(instance_id, epoch, progress)
         JOIN running_attempt a ON a.instance_id = r.instance_id AND a.epoch = r.epoch
        WHERE a.worker_id = $1
     ), ${KEEP_PROGRESS}
     SELECT own.plan_day AS "planDay", own.instance_id AS "instanceId", own.epoch,
            coalesce(d.channel, '{}') AS channel,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name)), '[]')
               FROM rate_limit l JOIN data_source s ON s.id = l.data_source_id
              WHERE s.workspace_id = i.workspace_id AND s.environment = 'production'
                AND s.name = ANY(v.data_sources)) AS limited
       FROM own
       JOIN node_instance i ON i.plan_day = own.plan_day AND i.id = own.instance_id
        AND i.plan_day ${onDays('$5')}
       JOIN attempt t ON t.plan_day = own.plan_day AND t.instance_id = own.instance_id
        AND t.epoch = own.epoch AND t.plan_day ${onDays('$5')}
       JOIN node_version v ON v.version_id = t.version_id AND v.node_id = i.node_id
       LEFT JOIN node_instance_detail d ON d.plan_day = own.plan_day AND d.instance_id = own.instance_id
        AND d.plan_day ${onDays('$5')}`,
    [
      workerId,
      attempts.map((each) => each.instanceId),
      attempts.map((each) => each.epoch),
      attempts.map((each) => (each.progress === undefined ? null : storableJson(each.progress))),
      daysOf(attempts.map((each) => each.planDay)),
    ],
  );
}
