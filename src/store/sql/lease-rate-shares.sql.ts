import { localOf } from '../../domain/calendar/zone.js';
import type { Rate, RateLimit } from '../../domain/channel/rate-limit.js';
import { rateAt } from '../../domain/channel/rate-limit.js';
import type { Sql } from '../database.js';

/** One running attempt and one data source with a rate limit that it uses. */
export interface ShareAsk {
  readonly dataSourceId: number;
  readonly instanceId: number;
  /** What it would use; absent: all it can get. */
  readonly want: Rate | undefined;
}

export interface RateShare {
  readonly dataSourceId: number;
  readonly instanceId: number;
  readonly rate: Rate;
}

/**
 * Lends the rates of data sources to running attempts, for `leaseMs` each. Who wants little gets that, the
 * others the same each, and what nobody wants is for all. At no moment do the shares that are out make more
 * than the limit: a newcomer gets what is left, and its part when the others ask again; what a dead worker
 * had comes back when its lease ends, and what an attempt had that has ended at once. Call it in a transaction: the limits are locked first, because a
 * statement that waited for them would not see the shares that were given meanwhile.
 */
export async function leaseRateShares(
  tx: Sql,
  asks: readonly ShareAsk[],
  leaseMs: number,
  now: Date,
): Promise<readonly RateShare[]> {
  const limits = await tx.rows<{ id: number; body: RateLimit; timezone: string }>(
    `SELECT l.data_source_id AS id, l.body, w.timezone
       FROM rate_limit l JOIN data_source s ON s.id = l.data_source_id
       JOIN workspace w ON w.id = s.workspace_id
      WHERE l.data_source_id = ANY($1::bigint[]) ORDER BY l.data_source_id FOR NO KEY UPDATE OF l`,
    [[...new Set(asks.map((ask) => ask.dataSourceId))]],
  );
  if (limits.length === 0) return [];
  const rates = limits.map(({ body, timezone }) => rateAt(body, localOf(now, timezone).time));
  const known = new Set(limits.map(({ id }) => id));
  const asked = asks.filter((ask) => known.has(ask.dataSourceId));
  const shares = await tx.rows<{
    data_source_id: number;
    instance_id: number;
    bytes: number | null;
    rows: number | null;
  }>(LEASE, [
    limits.map(({ id }) => id),
    rates.map(({ bytesPerSecond }) => bytesPerSecond ?? null),
    rates.map(({ rowsPerSecond }) => rowsPerSecond ?? null),
    asked.map((ask) => ask.dataSourceId),
    asked.map((ask) => ask.instanceId),
    asked.map((ask) => ask.want?.bytesPerSecond ?? null),
    asked.map((ask) => ask.want?.rowsPerSecond ?? null),
    leaseMs,
  ]);
  return shares.map((share) => ({
    dataSourceId: share.data_source_id,
    instanceId: share.instance_id,
    rate: {
      ...(share.bytes === null ? {} : { bytesPerSecond: share.bytes }),
      ...(share.rows === null ? {} : { rowsPerSecond: share.rows }),
    },
  }));
}

const LEASE = `
  WITH rate AS (
    SELECT * FROM unnest($1::bigint[], $2::float8[], $3::float8[]) AS r(source, bytes, rows)
  ), asked AS (
    SELECT * FROM unnest($4::bigint[], $5::bigint[], $6::float8[], $7::float8[])
                  AS a(source, instance, want_bytes, want_rows)
  ), drawing AS (
    SELECT source, instance, want_bytes, want_rows, true AS asks, 0::float8 AS bytes, 0::float8 AS rows
      FROM asked
     UNION ALL
    SELECT s.data_source_id, s.instance_id, s.want_bytes, s.want_rows, false, s.bytes, s.rows
      FROM rate_share s
     WHERE s.data_source_id = ANY($1::bigint[]) AND s.lease_until > clock_timestamp()
       AND EXISTS (SELECT FROM running_attempt r WHERE r.instance_id = s.instance_id)
       AND NOT EXISTS (SELECT FROM asked a WHERE a.source = s.data_source_id AND a.instance = s.instance_id)
  ), wanted AS (
    SELECT d.source, d.instance, d.asks, u.unit, u.rate, coalesce(u.held, 0) AS held,
           -- Never nothing: who starts anew after a pause would be held until it is heard again.
           greatest(least(u.want, u.rate), u.rate / 100) AS want
      FROM drawing d JOIN rate r USING (source)
      CROSS JOIN LATERAL (VALUES ('bytes', r.bytes, d.want_bytes, d.bytes),
                                 ('rows', r.rows, d.want_rows, d.rows)) AS u(unit, rate, want, held)
     WHERE u.rate IS NOT NULL
  ), levelled AS (
    -- Were everybody from here on given the same of what the smaller ones leave: the largest such part is
    -- what nobody gets more than.
    SELECT *, (rate - coalesce(sum(want) OVER smaller, 0)) / (count(*) OVER same - row_number() OVER up + 1)
              AS level,
           greatest(0, rate - sum(want) OVER same) / count(*) OVER same AS left_over
      FROM wanted
    WINDOW same AS (PARTITION BY source, unit),
           up AS (PARTITION BY source, unit ORDER BY want, instance),
           smaller AS (PARTITION BY source, unit ORDER BY want, instance
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ), fair AS (
    SELECT *, least(want, max(level) OVER same) + left_over AS fair FROM levelled
    WINDOW same AS (PARTITION BY source, unit)
  ), given AS (
    SELECT source, instance, unit, asks,
           fair * least(1, greatest(0, rate - sum(held) OVER same)
                           / sum(fair) FILTER (WHERE asks) OVER same) AS given
      FROM fair WINDOW same AS (PARTITION BY source, unit)
  ), gone AS (
    DELETE FROM rate_share s
     WHERE s.data_source_id = ANY($1::bigint[]) AND s.lease_until <= clock_timestamp()
       AND NOT EXISTS (SELECT FROM asked a WHERE a.source = s.data_source_id AND a.instance = s.instance_id)
  )
  INSERT INTO rate_share AS s
         (data_source_id, instance_id, want_bytes, want_rows, bytes, rows, lease_until)
  SELECT a.source, a.instance, a.want_bytes, a.want_rows, b.given, r.given,
         clock_timestamp() + $8 * interval '1 ms'
    FROM asked a
    LEFT JOIN given b ON b.source = a.source AND b.instance = a.instance AND b.unit = 'bytes'
    LEFT JOIN given r ON r.source = a.source AND r.instance = a.instance AND r.unit = 'rows'
  ON CONFLICT (data_source_id, instance_id) DO UPDATE
     SET want_bytes = excluded.want_bytes, want_rows = excluded.want_rows, bytes = excluded.bytes,
         rows = excluded.rows, lease_until = excluded.lease_until
  RETURNING s.data_source_id, s.instance_id, s.bytes, s.rows`;
