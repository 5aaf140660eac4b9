import { expect, test } from '@jest/globals';

import { publishEvents } from '../../../src/store/sql/publish-events.sql.js';
import { brokenInvariants } from '../../support/invariants.js';
import { Line, node } from '../../support/line.js';

/** Inserts a row of the table once more, with other values in some columns. */
function copyOf(table: string, change: Readonly<Record<string, string>>, where: string): string {
  const changed = Object.entries(change).map(([column, value]) => `'${column}', ${value}`);
  return `INSERT INTO ${table}
    SELECT (jsonb_populate_record(t, jsonb_build_object(${changed.join(', ')}))).* FROM ${table} t
     WHERE ${where}`;
}

/** A line in which something waits, something runs, something has ended in each way. */
async function busyLine(): Promise<Line> {
  const line = await Line.open({ slots: 3 });
  const { workflowId } = await line.submit('w', {
    nodes: [
      node('done'),
      node('held', ['done']),
      node('waiting', ['held']),
      node('broken', [], { retry: { max: 0 } }),
      node('behind', ['broken']),
      node('again', [], { retry: { max: 3, intervalMs: 60_000 } }),
      node('queued', ['done']),
      node('frozen', ['done']),
    ],
  });
  await line.run(workflowId, '2026-11-20');
  const worker = await line.worker();
  await line.release();
  for (const claim of await worker.claim(3))
    await worker.finish(
      claim,
      claim.nodeName === 'done' ? {} : { outcome: 'failed', errorCode: 'MR-P105' },
    );
  const user = { userId: 0 };
  const [frozen] = await line.instances(`n.name = 'frozen'`);
  if (frozen === undefined) throw new Error('there is no instance to freeze');
  await line.commands.freezeInstance({ planDay: frozen.plan_day, id: frozen.id, ...user });
  await line.release();
  await worker.claim(1);
  await publishEvents(line.database);
  return line;
}

test('they hold in a line in which something waits, runs, waits for its retry and has failed', async () => {
  await using line = await busyLine();
  expect(await line.statuses()).toEqual({
    done: 'succeeded',
    held: 'dispatched',
    waiting: 'waiting_upstream',
    broken: 'failed',
    behind: 'waiting_upstream',
    again: 'retry_wait',
    queued: 'waiting_resource',
    frozen: 'waiting_resource',
  });
  expect(await brokenInvariants(line.database)).toEqual([]);
});

const idOf = (name: string): string =>
  `(SELECT i.id FROM node_instance i JOIN node n ON n.id = i.node_id WHERE n.name = '${name}')`;

/** One statement that breaks the store, and what is found: invariant, node and words. */
const BREAKS: readonly [what: string, sql: string, found: readonly string[]][] = [
  [
    'a cycle planned on two plan days',
    copyOf(
      'node_instance',
      { id: '1000000', plan_day: 't.plan_day + 1', status: `'cancelled'`, pending: '0' },
      `id = ${idOf('behind')}`,
    ),
    [
      'I1 behind has 2 instances',
      'I1 behind has 2 instances',
      'I7 behind its last event says nothing',
    ],
  ],
  [
    'a second accepted attempt of one run',
    copyOf(
      'attempt',
      { epoch: 't.epoch + 1', fence: 't.fence + 1' },
      `instance_id = ${idOf('done')}`,
    ),
    ['I2 done is later than epoch', 'I2 done has 2 accepted attempts'],
  ],
  [
    'slots given back of what still runs',
    `DELETE FROM running_attempt WHERE instance_id = ${idOf('held')}`,
    ['I2 held nobody holds it', 'I2 held no worker holds it'],
  ],
  [
    'an attempt that does not have the fence under which it is held',
    `UPDATE attempt SET fence = 0 WHERE instance_id = ${idOf('held')}`,
    ['I2 held worker'],
  ],
  [
    'a newer attempt with the fence of an older one',
    `WITH raised AS (UPDATE node_instance SET epoch = 2 WHERE id = ${idOf('done')})
     ${copyOf('attempt', { epoch: 't.epoch + 1', state: `'lost'` }, `instance_id = ${idOf('done')}`)}`,
    ['I2 done no higher fence'],
  ],
  [
    'an instance that starts before its upstream has succeeded',
    `UPDATE node_instance SET status = 'waiting_resource' WHERE id = ${idOf('behind')}`,
    ['I3 behind 1 of its edges', 'I6 behind in no queue', 'I7 behind its last event says nothing'],
  ],
  [
    'more slots given than the group has',
    `UPDATE running_attempt SET slots = 4`,
    ['I4 resource group default has 3 slots and 4 are taken'],
  ],
  [
    'an attempt without a slot in the group that schedules it',
    `UPDATE node_version SET scheduling_group_id = (SELECT id FROM resource_group WHERE name = 'default')
      WHERE node_id = (SELECT node_id FROM running_attempt WHERE instance_id = ${idOf('held')})`,
    ['I4 held holds no scheduling slot of resource group default'],
  ],
  [
    'more let through than a gate has room for',
    `WITH g AS (INSERT INTO gate (id, scope, workspace_id, node_id, capacity)
                SELECT 7, 'node', w.workspace_id, n.id, 0 FROM node n JOIN workflow w ON w.id = n.workflow_id
                 WHERE n.name = 'held' RETURNING id)
     UPDATE running_attempt SET gate_ids = '{7}' WHERE instance_id = ${idOf('held')}`,
    ['I4 gate 7 has a capacity of 0 and 1 are through'],
  ],
  [
    'a pending that was not counted down',
    `UPDATE node_instance SET pending = 2 WHERE id = ${idOf('waiting')}`,
    ['I5 waiting pending is 2, unsatisfied edges are 1'],
  ],
  [
    'a lost wake-up: the edge stays open though its upstream has succeeded',
    `WITH e AS (UPDATE instance_edge SET outcome = 'open' WHERE downstream_id = ${idOf('queued')})
     UPDATE node_instance SET pending = 1 WHERE id = ${idOf('queued')}`,
    ['I3 queued 1 of its edges', 'I5 queued says open, which is succeeded'],
  ],
  [
    'an instance that waits for its retry and is not among the due',
    `DELETE FROM due_instance`,
    ['I6 again retry_wait and not among the due'],
  ],
  [
    'an instance that is in no queue',
    `DELETE FROM ready_instance WHERE instance_id = ${idOf('queued')}`,
    ['I6 queued in no queue'],
  ],
  [
    'a frozen instance in the queue',
    copyOf('ready_instance', { instance_id: idOf('frozen') }, `instance_id = ${idOf('queued')}`),
    ['I6 frozen in the queue and waiting_resource, frozen'],
  ],
  [
    'a change of state without its event',
    `UPDATE node_instance SET status = 'cancelled' WHERE id = ${idOf('broken')}`,
    ['I7 broken it is cancelled and its last event says failed'],
  ],
  [
    'a lost event in the middle of a story',
    `DELETE FROM event WHERE instance_id = ${idOf('done')} AND payload ->> 'status' = 'dispatched'`,
    ['I7 done says that it left dispatched', 'I7 events 1 to'],
  ],
  [
    'a success that no attempt has earned',
    `UPDATE attempt SET state = 'lost' WHERE instance_id = ${idOf('done')}`,
    ['I8 done without an attempt that did'],
  ],
  [
    'a run between two attempts whose ledger rows may be cleared',
    `DELETE FROM open_run`,
    ['I8 again not among the open runs'],
  ],
];

test.each(BREAKS)('found: %s', async (_, sql, found) => {
  await using line = await busyLine();
  await line.database.run(sql);
  const names = new Map(
    (await line.instances()).map((each) => [
      `inst_${each.plan_day.replaceAll('-', '')}_${each.id}`,
      each.node,
    ]),
  );
  const broken = (await brokenInvariants(line.database)).flatMap((text) => {
    const [, id = '', list = ''] = /^(I\d) .*?: \d+, (.*)$/.exec(text) ?? [];
    return list
      .split('; ')
      .map((each) => `${id} ${each.replace(/inst_\d+_\d+/, (key) => names.get(key) ?? key)}`);
  });
  expect(broken).toHaveLength(found.length);
  for (const [at, words] of found.entries()) {
    const [id = '', subject = '', ...rest] = words.split(' ');
    expect(broken[at]).toMatch(new RegExp(`^${id} ${subject} .*${rest.join(' ')}`));
  }
});
