import { percentile } from '../timeline/figures.mjs';

const BIZDATE = '2026-11-20';
/** What a group of such attempts would be given: a claim is paid once for all that it hands out. */
const CAPACITY = 512;
const OFFERED_PER_S = 500;
/** Before that, code and plans of statements that the instances without edges had no use for are not ready yet. */
const WARM_UP_S = 2;
/** Each look reads all instances: more often it would be half of what is measured. */
const POLL_MS = 1_000;

/**
 * Nodes that do nothing, made to need a worker: a real one in a process of its own claims each under its lease,
 * with its own attempt row and run log, over HTTP.
 */
export async function workerRun({ instances, seconds, figures, using, say }) {
  const { Cluster } = await import('../../support/cluster.ts');
  const options = {
    workers: 1,
    capacity: CAPACITY,
    slots: 10_000,
    leaseMs: 30_000,
  };
  await using(await Cluster.open(options), async (cluster) => {
    const flat = await submit(cluster, 'flat', instances, () => []);
    const start = performance.now();
    await cluster.runDays(flat, [BIZDATE]);
    await cluster.untilDone(600_000, POLL_MS);
    say(`${instances} worker-run instances in ${Math.round(performance.now() - start)} ms`);
    const [{ ms }] = await cluster.database.rows(
      `SELECT extract(epoch FROM max(ended_at) - min(dispatched_at))::float8 * 1000 AS ms
         FROM node_instance`,
    );
    figures.add(
      'worker-per-s',
      (instances / ms) * 1000,
      '1/s',
      `${instances} no-op instances in a worker process of ${CAPACITY} places, first claim to last end`,
    );
    await downstreamStart({ cluster, pairs: (OFFERED_PER_S / 2) * seconds, figures });
  });
}

async function submit(cluster, name, nodes, needsOf) {
  const id = await cluster.submit(name, {
    nodes: Array.from({ length: nodes }, (_, at) => ({
      id: `node_${at}`,
      type: 'virtual',
      needs: needsOf(at),
    })),
  });
  await cluster.database.run(`UPDATE node_version SET slots = 1 WHERE slots = 0`);
  return id;
}

/** Pairs of an upstream and a downstream; the upstreams fall due evenly, so that so many instances start a second. */
async function downstreamStart({ cluster, pairs, figures }) {
  const warmUps = (OFFERED_PER_S / 2) * WARM_UP_S;
  const id = await submit(cluster, 'pairs', (warmUps + pairs) * 2, (at) =>
    at % 2 === 0 ? [] : [`node_${at - 1}`],
  );
  // Away from the releaser until all of them are there.
  await cluster.database.run(`UPDATE node SET frozen = true WHERE workflow_id = $1`, [id]);
  await cluster.runDays(id, [BIZDATE]);
  await cluster.untilReleased();
  await cluster.database.run(`UPDATE node_instance SET frozen = false WHERE workflow_id = $1`, [
    id,
  ]);
  await cluster.database.run(
    `WITH waiting AS (
       UPDATE node_instance SET status = 'waiting_time', ready_at = NULL
        WHERE workflow_id = $1 AND status = 'waiting_resource' RETURNING plan_day, id)
     INSERT INTO due_instance (plan_day, instance_id, due_at)
     SELECT plan_day, id,
            clock_timestamp() + interval '1 s' + row_number() OVER (ORDER BY id) * $2 * interval '1 ms'
       FROM waiting`,
    [id, 2_000 / OFFERED_PER_S],
  );
  await cluster.untilDone(600_000, POLL_MS);
  const rows = await cluster.database.rows(
    `SELECT extract(epoch FROM d.started_at - u.ended_at)::float8 * 1000 AS ms
       FROM instance_edge e
       JOIN node_instance u ON u.plan_day = e.upstream_plan_day AND u.id = e.upstream_id
       JOIN node_instance d ON d.plan_day = e.plan_day AND d.id = e.downstream_id
      WHERE d.workflow_id = $1
      ORDER BY u.id OFFSET $2`,
    [id, warmUps],
  );
  const times = rows.map((row) => row.ms);
  for (const p of [50, 99])
    figures.add(
      `release-p${p}-ms`,
      percentile(times, p / 100),
      'ms',
      `end of the upstream to start of the downstream, ${pairs} pairs behind ${WARM_UP_S} s of them, ${OFFERED_PER_S} instances/s`,
    );
}

/** Claim loops of one resource group, many and few in turns: those that wait for its lock must cost little. */
export async function claimLoops({ Line, day, instances, figures, using, say }) {
  const options = { now: '2026-11-21T04:00:00Z', timezone: 'UTC', slots: 10_000 };
  await using(await Line.open(options), async (line) => {
    const perS = new Map([
      [2, []],
      [64, []],
    ]);
    for (const [round, loops] of [2, 64, 64, 2].entries()) {
      await day.submitMany(
        line,
        1,
        {
          nodes: Array.from({ length: instances }, (_, at) => ({
            id: `node_${at}`,
            type: 'shell',
            config: { command: 'true' },
          })),
        },
        `loops_${round}`,
      );
      const [{ id }] = await line.database.rows('SELECT max(id) AS id FROM workflow');
      await line.run(id, BIZDATE);
      await line.release();
      const start = performance.now();
      let left = instances;
      await Promise.all(
        Array.from({ length: loops }, async () => {
          const worker = await line.worker();
          while (left > 0) {
            const claims = await worker.claim(20);
            left -= claims.length;
            if (claims.length === 0) break;
            await worker.link.finish(
              worker.workerId,
              claims.map(({ planDay, instanceId, epoch }) => ({
                planDay,
                instanceId,
                epoch,
                outcome: 'succeeded',
              })),
            );
          }
        }),
      );
      if (left > 0) throw new Error(`${left} instances were not claimed`);
      const rate = instances / ((performance.now() - start) / 1000);
      perS.get(loops).push(rate);
      say(`${loops} claim loops: ${Math.round(rate)} claims and reports/s`);
    }
    const mean = (all) => all.reduce((sum, each) => sum + each, 0) / all.length;
    figures.add(
      'worker-64-ratio',
      mean(perS.get(64)) / mean(perS.get(2)),
      '',
      'claims and reports a second by 64 loops on one group, over two loops; in turns',
    );
  });
}
