import type { Sql } from '../store/database.js';

interface Sample {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

/** Gauges of the line in Prometheus' text form. Only small tables are read: a scrape must cost nothing. */
export async function metricsText(sql: Sql, version: string): Promise<string> {
  const samples = await sql.rows<Sample>(
    `SELECT 'millrace_queue_depth' AS name, format('{group="%s"}', g.name) AS labels,
            (SELECT count(*)::int FROM ready_instance r WHERE r.resource_group_id = g.id) AS value
       FROM resource_group g
     UNION ALL
     SELECT 'millrace_slots', format('{group="%s",state="all"}', g.name), g.slots FROM resource_group g
     UNION ALL
     SELECT 'millrace_slots', format('{group="%s",state="used"}', g.name),
            (SELECT coalesce(sum(r.slots), 0)::int FROM running_attempt r WHERE r.resource_group_id = g.id)
       FROM resource_group g
     UNION ALL
     SELECT 'millrace_workers', format('{group="%s"}', g.name),
            (SELECT count(*)::int FROM worker w JOIN worker_lease l ON l.worker_id = w.id
              WHERE w.resource_group_id = g.id AND w.ended_at IS NULL
                AND l.lease_until > clock_timestamp())
       FROM resource_group g
     UNION ALL
     SELECT 'millrace_events_total', '', seq FROM event_counter
     UNION ALL
     SELECT 'millrace_events_unpublished', '', coalesce(sum(events), 0)::int FROM event_outbox
     ORDER BY 1, 2`,
  );
  const lines: string[] = [];
  let last = '';
  for (const { name, labels, value } of samples) {
    if (name !== last)
      lines.push(`# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}`);
    last = name;
    lines.push(`${name}${labels} ${value}`);
  }
  lines.push('# TYPE millrace_build_info gauge', `millrace_build_info{version="${version}"} 1`);
  return `${lines.join('\n')}\n`;
}
