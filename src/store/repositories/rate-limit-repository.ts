import type { ChannelChange } from '../../domain/channel/channel-change.js';
import type { RateLimit } from '../../domain/channel/rate-limit.js';
import type { Sql } from '../database.js';
import type { InstanceKey } from './instance-repository.js';

export interface SharedRateLimit {
  readonly rateLimit: RateLimit | null;
  /** Who has which part of it now. */
  readonly shares: readonly {
    readonly planDay: string;
    readonly id: number;
    readonly bytesPerSecond: number | null;
    readonly rowsPerSecond: number | null;
  }[];
}

export async function rateLimitOf(sql: Sql, dataSourceId: number): Promise<SharedRateLimit> {
  const rows = await sql.rows<SharedRateLimit>(
    `SELECT l.body AS "rateLimit",
            (SELECT coalesce(jsonb_agg(jsonb_build_object('planDay', a.plan_day, 'id', a.instance_id,
                      'bytesPerSecond', s.bytes, 'rowsPerSecond', s.rows) ORDER BY a.instance_id), '[]')
               FROM rate_share s JOIN running_attempt a USING (instance_id)
              WHERE s.data_source_id = l.data_source_id AND s.lease_until > clock_timestamp()) AS shares
       FROM rate_limit l WHERE l.data_source_id = $1`,
    [dataSourceId],
  );
  return rows[0] ?? { rateLimit: null, shares: [] };
}

/** Null takes it away. Running syncs follow within a second. */
export async function setRateLimit(
  tx: Sql,
  dataSourceId: number,
  limit: RateLimit | null,
): Promise<void> {
  if (limit === null) {
    await tx.run(`DELETE FROM rate_limit WHERE data_source_id = $1`, [dataSourceId]);
    return;
  }
  await tx.run(
    `INSERT INTO rate_limit (data_source_id, body) VALUES ($1, $2)
     ON CONFLICT (data_source_id) DO UPDATE SET body = excluded.body, updated_at = clock_timestamp()`,
    [dataSourceId, JSON.stringify(limit)],
  );
}

/** `false`: it is no sync. Null: as its node says. */
export async function setChannel(
  tx: Sql,
  { planDay, id }: InstanceKey,
  change: ChannelChange | null,
): Promise<boolean> {
  const changed = await tx.run(
    `UPDATE node_instance_detail d SET channel = $3 FROM node_instance i
      WHERE d.plan_day = $1 AND d.instance_id = $2
        AND i.plan_day = $1 AND i.id = $2 AND i.node_type = 'sync'`,
    [planDay, id, change === null ? null : JSON.stringify(change)],
  );
  return changed === 1;
}
