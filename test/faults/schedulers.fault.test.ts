import { expect, test } from '@jest/globals';

import { Cluster } from '../support/cluster.js';
import { DayLine, daysFrom } from '../support/day-line.js';
import { brokenInvariants } from '../support/invariants.js';
import { schedulerNames } from '../support/processes.js';

const HOURLY = {
  schedule: { cron: '0 * * * *' },
  nodes: [
    { id: 'first', type: 'virtual', config: {} },
    { id: 'second', type: 'virtual', config: {}, needs: ['first'] },
    { id: 'third', type: 'virtual', config: {}, needs: ['second'], selfDependence: true },
  ],
};
const SLOW = {
  nodes: ['a', 'b', 'c', 'd'].map((id) => ({
    id,
    type: 'shell',
    config: { command: 'sleep 2' },
  })),
};
/** All their cycles are over, whatever the time of the day: what is compared does not grow meanwhile. */
const PLANNED = daysFrom(new Date(Date.now() - 5 * 86_400_000).toISOString().slice(0, 10), 3);

test('two and three schedulers at once plan, release and take back what one does, each thing once', async () => {
  const alone = await record(1);
  expect(alone.filter((line) => line.includes('succeeded'))).toHaveLength(3 * 24 * 3 + 4 + 3 * 3);
  expect(alone.filter((line) => line.endsWith('1 lost'))).toHaveLength(4);
  for (const schedulers of [2, 3]) expect(await record(schedulers)).toEqual(alone);
}, 300_000);

/** What such an installation makes of a plan of three days, three runs and a worker that dies. */
async function record(schedulers: number): Promise<string[]> {
  await using cluster = await Cluster.open({ workers: 1, capacity: 4, schedulers, leaseMs: 4000 });
  await using line = await DayLine.open(cluster);
  const hourly = await cluster.submit('hourly', HOURLY);
  await cluster.database.run(
    `UPDATE workflow_version SET first_bizdate = $2 WHERE workflow_id = $1`,
    [hourly, PLANNED[0]],
  );
  await cluster.database.run(`UPDATE workflow SET scheduled = true WHERE id = $1`, [hourly]);
  // They plan when they start, so all at once.
  for (const name of schedulerNames(schedulers)) cluster.processes.kill(name);
  await cluster.until(60_000, 'the plan to be made and run', async () => {
    const [row] = await cluster.database.rows<{ n: number }>(
      `SELECT count(*)::int AS n FROM node_instance
        WHERE workflow_id = $1 AND bizdate = ANY($2::date[]) AND status = 'succeeded'`,
      [hourly, PLANNED],
    );
    return row?.n === PLANNED.length * 24 * HOURLY.nodes.length;
  });
  await cluster.runDays(await cluster.submit('slow', SLOW), ['2024-01-01']);
  await cluster.until(20_000, 'w1 to hold all four', async () => {
    const rows = await cluster.database.rows(`SELECT FROM running_attempt`);
    return rows.length === SLOW.nodes.length;
  });
  cluster.processes.kill('w1');
  await line.run(daysFrom('2024-02-01', 3));
  await cluster.until(60_000, 'the runs to end', async () => {
    const rows = await cluster.database.rows(
      `SELECT FROM node_instance WHERE workflow_id <> $1 AND status <> 'succeeded'`,
      [hourly],
    );
    return rows.length === 0;
  });
  await cluster.until(10_000, 'the events to be numbered', async () => {
    return (await cluster.database.rows(`SELECT FROM event_outbox LIMIT 1`)).length === 0;
  });
  expect(await brokenInvariants(cluster.database)).toEqual([]);
  expect(await line.targetRows()).toEqual(line.expectedRows());
  return [...(await plans(cluster)), ...(await stories(cluster, hourly))];
}

async function plans(cluster: Cluster): Promise<string[]> {
  const rows = await cluster.database.rows<{ line: string }>(
    `SELECT concat_ws(' ', 'plan', bizdate, revision, instances, edges) AS line
       FROM plan WHERE bizdate = ANY($1::date[]) ORDER BY bizdate`,
    [PLANNED],
  );
  return rows.map((row) => row.line);
}

/** Each instance with what became of it; that it began to run is left out, as it may be told too late. */
async function stories(cluster: Cluster, hourly: number): Promise<string[]> {
  const rows = await cluster.database.rows<{ line: string }>(
    `SELECT concat_ws(' ', n.name, i.bizdate, i.scheduled_at, i.epoch, i.attempt,
              (SELECT string_agg(e.payload ->> 'status', ',' ORDER BY e.seq) FROM event e
                WHERE e.instance_id = i.id AND e.type = 'instance.status'
                  AND e.payload ->> 'status' <> 'running'),
              (SELECT string_agg(a.state, ',' ORDER BY a.epoch) FROM attempt a
                WHERE a.plan_day = i.plan_day AND a.instance_id = i.id),
              i.lost_leases, 'lost') AS line
       FROM node_instance i JOIN node n ON n.id = i.node_id
      WHERE i.workflow_id <> $1 OR i.bizdate = ANY($2::date[])
      ORDER BY n.name, i.bizdate, i.scheduled_at`,
    [hourly, PLANNED],
  );
  return rows.map((row) => row.line);
}
