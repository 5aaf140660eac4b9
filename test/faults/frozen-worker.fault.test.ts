import { expect, test } from '@jest/globals';

import { Cluster } from '../support/cluster.js';
import { DayLine, daysFrom } from '../support/day-line.js';
import { brokenInvariants } from '../support/invariants.js';

/**
 * One a day. `instance`: which one to come by at the point is to be parked there; each day brings one
 * to the points `sql:…`, and two (load, write_result) to the points `writer:…`.
 */
const FREEZES = [
  { node: 'insert_data', point: 'sql:before-commit', instance: 1 },
  { node: 'insert_data', point: 'sql:after-commit', instance: 2 },
  { node: 'write_result', point: 'writer:chunk-written', instance: 6 },
  { node: 'write_result', point: 'writer:before-commit', instance: 8 },
  { node: 'write_result', point: 'writer:after-commit', instance: 10 },
] as const;

test('a worker frozen in insert_data or write_result beyond its lease writes nothing when it thaws', async () => {
  const plan = FREEZES.map(({ point, instance }) => `${point}=pause@#${instance}`).join(',');
  await using cluster = await Cluster.open({ workers: 2, crashPoints: plan });
  await using line = await DayLine.open(cluster);
  for (const [at, bizdate] of daysFrom('2024-01-01', FREEZES.length).entries()) {
    const { node, point } = FREEZES[at] ?? FREEZES[0];
    await line.run([bizdate]);
    await cluster.untilParked(point);
    const frozen = await cluster.workerOf(node);
    await cluster.processes.freeze(frozen);
    await cluster.untilDone();
    expect(await line.targetRows()).toEqual(line.expectedRows());

    // Its thread goes straight on to the next statement, before anybody can tell it that it is late.
    cluster.release(point);
    cluster.processes.thaw();
    await cluster.until(30_000, 'the thawed attempt to end', async () => {
      const log = cluster.processes.logOf(frozen);
      return countOf(log, '"attempt claimed"') === countOf(log, '"attempt ended"');
    });
    expect(await line.targetRows()).toEqual(line.expectedRows());
    const day = (await cluster.instances()).filter((each) => each.bizdate === bizdate);
    expect(day.map((each) => `${each.node} ${each.status} ${each.lost_leases}`).sort()).toEqual(
      ['insert_data', 'load', 'write_result'].map(
        (each) => `${each} succeeded ${each === node ? 1 : 0}`,
      ),
    );
    console.log(`${point}: ${cluster.hits(point)} hits, ${frozen} was frozen`);
  }
  expect(['w1', 'w2'].map((each) => cluster.processes.lives(each))).toEqual([1, 1]);
  expect(await brokenInvariants(cluster.database)).toEqual([]);
}, 120_000);

function countOf(text: string, part: string): number {
  return text.split(part).length - 1;
}
