import { expect, test } from '@jest/globals';

import { bizdateOf, plusDays } from '../../src/domain/calendar/bizdate.js';
import { encodeId } from '../../src/domain/ids.js';
import { PluginHost } from '../../src/plugin-host/plugin-host.js';
import { InstanceGenerator } from '../../src/scheduler/instance-generator.js';
import { ScheduleCommands } from '../../src/scheduler/scheduler-commands.js';
import { checkPlans } from '../../src/store/repositories/plan-repository.js';
import { WakeBus } from '../../src/store/wake-bus.js';
import { Cluster } from '../support/cluster.js';
import { brokenInvariants } from '../support/invariants.js';
import { FakeClock, node } from '../support/line.js';

const POINTS = ['patch:before-edges', 'patch:before-commit', 'patch:after-commit'];
const ZONE = 'Asia/Shanghai';
const HOURLY = { schedule: { cron: '30 */4 * * *' } };

const OLD = { nodes: [node('h', [], HOURLY), node('a', ['h']), node('b', ['a'])] };
const NEW = {
  parameters: { ds: '$bizdate' },
  nodes: [
    node('h', [], { schedule: { cron: '30 */6 * * *' } }),
    node('a', ['h']),
    node('c', ['a', 'h']),
  ],
};
const REPORT = { nodes: [node('sum', [], { needs: [{ workflow: 'w', node: 'a' }] })] };

/** Every row of the plan that a patch may touch. */
async function picture(cluster: Cluster): Promise<string[]> {
  const rows = await cluster.database.rows<{ text: string }>(
    `SELECT to_jsonb(i)::text AS text FROM node_instance i
     UNION ALL SELECT to_jsonb(d)::text FROM node_instance_detail d
     UNION ALL SELECT to_jsonb(e)::text FROM instance_edge e
     UNION ALL SELECT to_jsonb(a)::text FROM awaited_edge a
     UNION ALL SELECT to_jsonb(u)::text FROM due_instance u
     UNION ALL SELECT to_jsonb(r)::text FROM workflow_instance r
     UNION ALL SELECT to_jsonb(p)::text FROM plan p
     UNION ALL SELECT format('%s from %s', v.id, v.first_bizdate) FROM workflow_version v
     UNION ALL SELECT action FROM audit
     UNION ALL SELECT type FROM event WHERE type = 'plan.patched'
     UNION ALL SELECT type FROM event_outbox WHERE type = 'plan.patched'`,
  );
  return rows.map((row) => row.text).sort();
}

/** Cycles of the plan by node: what the version says it has. */
async function cycles(cluster: Cluster): Promise<Record<string, number>> {
  const rows = await cluster.database.rows<{ node: string; count: number }>(
    `SELECT w.name || '/' || n.name AS node, count(*)::int AS count
       FROM node_instance i JOIN node n ON n.id = i.node_id JOIN workflow w ON w.id = n.workflow_id
      GROUP BY 1`,
  );
  return Object.fromEntries(rows.map((row) => [row.node, row.count]));
}

/** A plan of tomorrow that is sealed with the old version; the new one is there since. Gives the API's id. */
async function sealed(cluster: Cluster): Promise<string> {
  const { database } = cluster;
  const today = plusDays(bizdateOf(new Date(), ZONE), 1);
  const clock = new FakeClock(`${today}T15:31:00Z`);
  await using wakeBus = await WakeBus.open(cluster.databaseUrl);
  const commands = new ScheduleCommands(database, clock, wakeBus, await PluginHost.open([]));
  const submit = async (name: string, draft: object): Promise<number> => {
    const [row] = await database.rows<{ id: number }>(
      `INSERT INTO workflow (workspace_id, name, draft, scheduled)
       SELECT id, $1, $2, true FROM workspace
       ON CONFLICT (workspace_id, name) DO UPDATE SET draft = excluded.draft RETURNING id`,
      [name, JSON.stringify(draft)],
    );
    const workflowId = row?.id ?? 0;
    await commands.submitWorkflow({ workflowId, userId: null, comment: '' });
    return workflowId;
  };
  await submit('w', OLD);
  await submit('report', REPORT);
  const generator = new InstanceGenerator(database, clock, wakeBus, {
    cutoff: '22:00',
    seal: '23:30',
  });
  await generator.generateDue();
  return encodeId('wf', await submit('w', NEW));
}

test('kill -9 in a plan patch leaves the plan wholly as it was, or wholly patched', async () => {
  await using cluster = await Cluster.open({
    workers: 0,
    schedulers: 0,
    crashPoints: POINTS.map((point) => `${point}=kill@1`).join(','),
  });
  const path = `/workspaces/sample/workflows/${await sealed(cluster)}`;
  const preview = async (): Promise<{ readonly planToken: string }> =>
    (await (await cluster.send('POST', `${path}/preview-plan`)).json()) as { planToken: string };
  const old = { 'w/h': 6, 'w/a': 1, 'w/b': 1, 'report/sum': 1 };
  expect(await cycles(cluster)).toEqual(old);
  const before = await picture(cluster);
  const { planToken } = await preview();
  for (const [no, point] of POINTS.entries()) {
    await expect(cluster.send('POST', `${path}/patch-plan`, { planToken })).rejects.toThrow(
      'fetch failed',
    );
    expect(cluster.hits(point)).toBe(1);
    await cluster.until(30_000, 'the api', async () => (await cluster.send('GET', '/workers')).ok);
    expect(cluster.processes.lives('api')).toBe(no + 2);
    if (point === 'patch:after-commit') break;
    expect(await picture(cluster)).toEqual(before);
    expect(await preview()).toMatchObject({ planToken });
  }
  expect(await cycles(cluster)).toEqual({ 'w/h': 4, 'w/a': 1, 'w/c': 1, 'report/sum': 1 });
  expect((await picture(cluster)).filter((row) => row === 'workflow.plan_patched')).toHaveLength(1);
  // It is not offered twice.
  await expect(preview()).rejects.toThrow('MR-S171');
  expect(await checkPlans(cluster.database)).toEqual({ checked: 1, changed: [] });
  expect(await brokenInvariants(cluster.database)).toEqual([]);
}, 120_000);
