import { expect, test } from '@jest/globals';

import { migrate } from '../../src/store/run-migrations.js';
import { checkPlans } from '../../src/store/repositories/plan-repository.js';
import { planFaults } from '../support/chaos/fault-plan.js';
import { OldDays } from '../support/chaos/old-days.js';
import { Storm } from '../support/chaos/storm.js';
import { Traffic } from '../support/chaos/traffic.js';
import { Cluster } from '../support/cluster.js';
import { targetServer } from '../support/day-line.js';
import { FaultyProxy } from '../support/faulty-proxy.js';
import { brokenInvariants } from '../support/invariants.js';
import { OwnPostgres } from '../support/own-postgres.js';
import { planDifferences } from '../support/plan-oracle.js';
import { schedulerNames, workerNames } from '../support/processes.js';
import { testSeed } from '../support/seeded.js';
import { journalSlots, mostSlotsHeld } from '../support/slot-journal.js';

/** `npm run test:chaos -- --faults N --seed S` asks for more. */
const FAULTS = Number(process.env['MILLRACE_TEST_FAULTS'] ?? 60);
const SEED = testSeed();
const WORKERS = 3;
const SCHEDULERS = 2 + (SEED % 2);
const SLOTS = 5;
const LEASE_MS = 2400;
const HOUR_MS = 3_600_000;
const TIMEOUT_MS = 180_000 + FAULTS * 5000;

/** Clocks that nobody looks after: each of the same kind is off another way. */
const SKEWS_MS: Readonly<Record<string, number>> = {
  api: HOUR_MS,
  scheduler: -HOUR_MS,
  'scheduler-2': HOUR_MS,
  w1: -HOUR_MS,
  w2: HOUR_MS,
};

interface Ended {
  readonly workflow_id: number;
  readonly bizdate: string;
  readonly status: string;
  readonly reason: string | null;
  /** Of a failed one: how each of its attempts ended. */
  readonly errors: string | null;
}

test(
  `after ${FAULTS} faults of every kind the invariants hold and the targets have each row once`,
  async () => {
    await using postgres = await OwnPostgres.start();
    await migrate(postgres.url);
    await using warehouse = await FaultyProxy.open(postgres.login);
    await using target = await FaultyProxy.open(targetServer());
    await using cluster = await Cluster.open({
      workers: WORKERS,
      schedulers: SCHEDULERS,
      capacity: 2,
      slots: SLOTS,
      leaseMs: LEASE_MS,
      databaseUrl: postgres.url,
      clockSkewMs: (name) => SKEWS_MS[name] ?? 0,
      faultyNetwork: true,
      // From the first minute of a day the plan of the next one is due, and its seal.
      env: { MILLRACE_PLAN_CUTOFF: '00:00', MILLRACE_PLAN_SEAL: '00:01' },
    });
    await journalSlots(cluster.database);
    const oldDays = await OldDays.plant(cluster);
    await using traffic = await Traffic.open(cluster, postgres, { warehouse, target });
    const ways = { ...cluster.network, warehouse, target };
    const storm = new Storm({ processes: cluster.processes, postgres, ways });

    traffic.start();
    await cluster.until(60_000, 'a first day to end', async () => {
      return (await traffic.replacing.targetRows()).length > 0;
    });
    const begun = performance.now();
    await storm.rage(
      planFaults(SEED, FAULTS, {
        schedulers: schedulerNames(SCHEDULERS),
        workers: workerNames(WORKERS),
        leaseMs: LEASE_MS,
      }),
    );
    const minutes = (performance.now() - begun) / 60_000;
    await traffic.stop();
    const goneMeanwhile = await oldDays.gone();
    await untilQuiet(cluster);
    await untilSealed(cluster);
    await oldDays.untilGone(schedulerNames(SCHEDULERS));
    const ended = await endedInstances(cluster);
    const plans = await checkPlans(cluster.database);
    console.log(
      `chaos: seed ${SEED}, ${FAULTS} faults in ${(minutes * 60).toFixed(0)} s, ` +
        `${(FAULTS / minutes).toFixed(0)} a minute (${storm.summary}); ${SCHEDULERS} schedulers, ` +
        `${ended.length} instances, ${traffic.reruns} reruns, ${traffic.backfills} backfills, ` +
        `${traffic.deploys.deploys} deploys, ${traffic.deploys.patches} patches, ` +
        `${plans.checked} sealed plans, ${goneMeanwhile} old days removed meanwhile, ${await attemptCounts(cluster)}`,
    );
    expect(await brokenInvariants(cluster.database)).toEqual([]);
    expect(await oldDays.faults()).toEqual([]);
    expect(await mostSlotsHeld(cluster.database)).toBeLessThanOrEqual(SLOTS);
    expect(traffic.reruns).toBeGreaterThan(0);
    expect(traffic.backfills).toBeGreaterThan(0);
    expect(traffic.deploys.deploys).toBeGreaterThan(0);
    expect(await planDifferences(cluster.database)).toEqual([]);
    expect(plans).toMatchObject({ changed: [] });
    expect(plans.checked).toBeGreaterThan(0);
    // Three lost leases are the only thing for which any of these may fail.
    const failed = ended.filter((each) => each.status === 'failed');
    expect(failed.filter((each) => each.reason !== 'MR-S201')).toEqual([]);

    // An instance that was given up had committed before its worker died, or not: all of it, or nothing.
    const { adding, replacing } = traffic;
    const givenUp = [
      ...new Set(
        failed.filter((each) => each.workflow_id === adding.workflowId).map((each) => each.bizdate),
      ),
    ];
    const rows = await adding.targetRows();
    const found = givenUp.filter((date) => rows.some((row) => row.startsWith(dsOf(date))));
    const missing = givenUp.filter((date) => !found.includes(date));
    const without = new Set(adding.expectedRows(missing));
    expect(rows).toEqual(adding.expectedRows().filter((row) => !without.has(row)));

    while ((await traffic.rerunFailed()) > 0) await untilQuiet(cluster);
    expect(await replacing.targetRows()).toEqual(replacing.expectedRows());
    expect(await brokenInvariants(cluster.database)).toEqual([]);
  },
  TIMEOUT_MS,
);

function dsOf(bizdate: string): string {
  return bizdate.replaceAll('-', '');
}

/** Waits until nothing moves any more; what waits behind a failed upstream does so for good. */
async function untilQuiet(cluster: Cluster): Promise<void> {
  await cluster.until(120_000, 'quiet', async () => {
    const [row] = await cluster.database.rows<{ busy: boolean }>(
      `SELECT EXISTS (SELECT FROM node_instance i
                        JOIN run_group g ON g.id = i.run_group_id AND g.kind <> 'scheduled'
                       WHERE status NOT IN ('waiting_upstream', 'succeeded', 'failed', 'cancelled'))
           OR EXISTS (SELECT FROM backfill WHERE making IS NOT NULL) AS busy`,
    );
    return row?.busy === false;
  });
}

/** Waits until each zone with workflows has its plan; what it holds is to run tomorrow. */
async function untilSealed(cluster: Cluster): Promise<void> {
  // What starts looks at once; otherwise once a minute.
  for (const name of schedulerNames(SCHEDULERS)) cluster.processes.kill(name);
  await cluster.until(120_000, 'the plans to be sealed', async () => {
    const open = await cluster.database.rows(
      `SELECT FROM workflow w JOIN workflow_version v ON v.workflow_id = w.id
         LEFT JOIN plan p ON p.timezone = v.timezone AND p.state = 'sealed' AND p.checksum IS NOT NULL
        WHERE w.scheduled AND p.timezone IS NULL
        UNION ALL
       SELECT FROM plan WHERE revision = 0 OR state <> 'sealed' OR checksum IS NULL`,
    );
    return open.length === 0;
  });
}

async function endedInstances(cluster: Cluster): Promise<Ended[]> {
  return await cluster.database.rows<Ended>(
    `SELECT workflow_id, bizdate, status, reason,
            (SELECT string_agg(concat_ws(' ', a.state, a.error_code, a.error_detail), '; ' ORDER BY a.epoch)
               FROM attempt a WHERE a.plan_day = i.plan_day AND a.instance_id = i.id
                AND i.status = 'failed') AS errors
       FROM node_instance i ORDER BY id`,
  );
}

async function attemptCounts(cluster: Cluster): Promise<string> {
  const rows = await cluster.database.rows<{ state: string; n: number }>(
    `SELECT state, count(*)::int AS n FROM attempt GROUP BY state ORDER BY state`,
  );
  return `attempts: ${rows.map(({ state, n }) => `${n} ${state}`).join(', ')}`;
}
