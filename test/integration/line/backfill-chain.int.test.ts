import { describe, expect, test } from '@jest/globals';

import { Backfills, november } from '../../support/backfills.js';
import { brokenInvariants } from '../../support/invariants.js';
import { node } from '../../support/line.js';

const FAILED = { outcome: 'failed', errorCode: 'MR-D107', errorDetail: 'no' } as const;
const STOPPED = { outcome: 'cancelled', errorCode: 'MR-S203', errorDetail: 'stopped' } as const;
const CHAIN = { selfDependence: true, retry: { max: 0 } };

/** The self-dependence edges as `day time <- day time`, in the zone of the workflow. */
async function chainOf(b: Backfills): Promise<string[]> {
  const rows = await b.line.database.rows<{ edge: string }>(
    `SELECT format('%s <- %s', to_char(d.scheduled_at AT TIME ZONE 'Asia/Shanghai', 'DD HH24'),
              to_char(u.scheduled_at AT TIME ZONE 'Asia/Shanghai', 'DD HH24')) AS edge
       FROM instance_edge e
       JOIN node_instance d ON d.plan_day = e.plan_day AND d.id = e.downstream_id
       JOIN node_instance u ON u.plan_day = e.upstream_plan_day AND u.id = e.upstream_id
      WHERE e.kind = 'self_previous' AND d.run_group_id = $1 ORDER BY d.scheduled_at`,
    [b.id],
  );
  return rows.map((row) => row.edge);
}

describe('a chain through the dates of a backfill', () => {
  test('holds where a failed date, a running one and one to come are skipped: they are dry runs in their turn', async () => {
    await using b = await Backfills.open([node('a', [], CHAIN), node('b', ['a'], { retry: {} })]);
    await b.start(november(1, 5));
    const worker = await b.line.worker();
    for (const claim of await b.claim(worker)) await worker.finish(claim, FAILED);
    await b.control({ kind: 'skip', bizdates: ['2026-11-01', '2026-11-04'] });
    const [second] = await b.claim(worker);
    expect(second).toMatchObject({ nodeName: 'a', bizdate: '2026-11-02' });
    if (second === undefined) throw new Error('nothing was claimed');
    await b.control({ kind: 'skip', bizdates: ['2026-11-02'] });
    // It still runs, so nothing of the chain behind it begins.
    expect(await b.claim(worker)).toEqual([]);
    await worker.finish(second, STOPPED);
    expect(await b.line.drain(worker)).toEqual(['a', 'b', 'a', 'b']);
    const ran = await b.line.instances('NOT i.dry_run');
    expect(ran.map((each) => `${each.bizdate.slice(8)} ${each.node} ${each.status}`)).toEqual([
      '03 a succeeded',
      '03 b succeeded',
      '05 a succeeded',
      '05 b succeeded',
    ]);
    expect(await b.dates()).toEqual({
      '11-01': 'skipped',
      '11-02': 'skipped',
      '11-03': 'done',
      '11-04': 'skipped',
      '11-05': 'done',
    });
    expect(await b.state()).toBe('ended');
    expect(await brokenInvariants(b.line.database)).toEqual([]);
    // Nothing was produced on a skipped date: it is still missing.
    const missing = await b.plan({ ...november(1, 5), only: 'missing' });
    expect(missing.totals).toMatchObject({ run: 6 });
  });

  test('leads with hours to the last cycle before that is kept, of the date before or of another run', async () => {
    await using b = await Backfills.open([
      node('a', [], { selfDependence: true, schedule: { cron: '0 * * * *' } }),
    ]);
    const worker = await b.line.worker();
    await b.start({ ...november(1, 1), hours: { from: '05:00', to: '05:00' } });
    await b.line.drain(worker);
    await b.start({ ...november(1, 2), hours: { from: '10:00', to: '11:00' } });
    expect(await chainOf(b)).toEqual([
      '02 10 <- 02 05',
      '02 11 <- 02 10',
      '03 10 <- 02 11',
      '03 11 <- 03 10',
    ]);
    expect(await b.line.drain(worker)).toHaveLength(4);
  });
});

test('a product that is named after the instance is missing where its cycle has no record', async () => {
  await using b = await Backfills.open([
    node('a', [], {
      parameters: { id: '$taskid' },
      outputs: [{ dataSource: 'files', table: 'orders', partition: 'run=${id}' }],
    }),
  ]);
  await b.start(november(1, 2));
  await b.line.drain(await b.line.worker());
  const plan = await b.plan({ ...november(1, 3), only: 'missing' });
  expect(plan.totals).toMatchObject({ run: 1, leftOut: 2 });
});

test('a backfill over a day that its zone left out runs each business date, at times of their own', async () => {
  await using b = await Backfills.open([node('a', [], { selfDependence: true })], {
    timezone: 'Pacific/Apia',
  });
  await b.start({ ranges: [{ from: '2011-12-28', to: '2011-12-31' }], parallelism: 4 });
  const instances = await b.line.instances();
  expect(instances.map((each) => `${each.bizdate} ${each.scheduled_at.toISOString()}`)).toEqual([
    '2011-12-28 2011-12-29T10:00:00.000Z',
    // The next minute of the day after which that day does not use itself.
    '2011-12-30 2011-12-30T10:00:00.000Z',
    '2011-12-29 2011-12-30T10:01:00.000Z',
    '2011-12-31 2011-12-31T10:00:00.000Z',
  ]);
  const ran: string[] = [];
  await b.line.drain(await b.line.worker(), (claim) => {
    ran.push(claim.bizdate);
    return {};
  });
  expect(ran).toEqual(['2011-12-28', '2011-12-29', '2011-12-30', '2011-12-31']);
  expect(await brokenInvariants(b.line.database)).toEqual([]);
});
