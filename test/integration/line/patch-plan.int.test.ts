import { setTimeout } from 'node:timers/promises';

import { describe, expect, test } from '@jest/globals';

import type { PatchedInstance } from '../../../src/scheduler/patch/plan-patch.js';
import { checkPlans } from '../../../src/store/repositories/plan-repository.js';
import { brokenInvariants } from '../../support/invariants.js';
import { Line, node } from '../../support/line.js';
import { planPicture } from '../../support/plan-picture.js';

const EVENING = '2026-11-21T15:35:00Z';

interface Drafts {
  /** Other workflows, submitted first. */
  readonly others?: Readonly<Record<string, object>>;
  readonly old: object;
  readonly new: object;
}

/** The plan of business date 2026-11-21 is sealed with the old draft; the new one is submitted after it. */
async function sealedWith({ others = {}, old, new: draft }: Drafts): Promise<Line> {
  const line = await Line.open({ now: '2026-11-21T04:00:00Z' });
  // The downstream must be able to name it.
  const { workflowId } = await line.submit('w', old);
  for (const [name, each] of Object.entries(others)) await line.submit(name, each);
  line.clock.set('2026-11-21T15:30:00Z');
  await line.generator.generateDue();
  line.clock.set(EVENING);
  expect((await line.submit('w', draft)).workflowId).toBe(workflowId);
  return line;
}

/** The same drafts, submitted in the same order, and all of them before the plan was made. */
async function plannedWith({ others = {}, old, new: draft }: Drafts): Promise<Line> {
  const line = await Line.open({ now: '2026-11-21T04:00:00Z' });
  await line.submit('w', old);
  for (const [name, each] of Object.entries(others)) await line.submit(name, each);
  await line.submit('w', draft);
  line.clock.set('2026-11-21T15:30:00Z');
  await line.generator.generateDue();
  return line;
}

function names(instances: readonly PatchedInstance[]): string[] {
  return instances.map(
    ({ workflow, node: name, scheduledAt }) =>
      `${workflow}/${name} ${scheduledAt.toISOString().slice(5, 16)}`,
  );
}

const CASES: Readonly<Record<string, Drafts>> = {
  'a node more, a node less, another upstream': {
    old: { nodes: [node('a'), node('b', ['a']), node('c', ['b'])] },
    new: { nodes: [node('a'), node('c', ['a']), node('d', ['a', 'c'])] },
  },
  'fewer cycles of an upstream, within and from another workflow': {
    others: { report: { nodes: [node('sum', [], { needs: [{ workflow: 'w', node: 'h' }] })] } },
    old: {
      nodes: [node('h', [], { schedule: { cron: '0 */2 * * *' } }), node('day', ['h'])],
    },
    new: {
      nodes: [node('h', [], { schedule: { cron: '0 */3 * * *' } }), node('day', ['h'])],
    },
  },
  'another time of a daily node that another workflow waits for': {
    others: { report: { nodes: [node('sum', [], { needs: [{ workflow: 'w', node: 'a' }] })] } },
    old: { schedule: { cron: '0 1 * * *' }, nodes: [node('a')] },
    new: { schedule: { cron: '30 2 * * *' }, nodes: [node('a')] },
  },
  'a chain of cycles with another step': {
    old: {
      nodes: [node('h', [], { selfDependence: true, schedule: { cron: '0 */6 * * *' } })],
    },
    new: {
      nodes: [node('h', [], { selfDependence: true, schedule: { cron: '0 */4 * * *' } })],
    },
  },
  'a new dependence on another workflow, parameters, priority, dry run and freezing': {
    others: { base: { nodes: [node('load')] } },
    old: { parameters: { ds: '$bizdate' }, nodes: [node('a'), node('b'), node('c')] },
    new: {
      parameters: { ds: '${yyyy-mm-dd}' },
      nodes: [
        node('a', [], { needs: [{ workflow: 'base', node: 'load' }] }),
        node('b', [], { priority: 7, scheduleType: 'dry_run' }),
        node('c', [], { scheduleType: 'frozen' }),
      ],
    },
  },
};

describe('a patched plan is the plan that would have been made with the new version', () => {
  test.each(Object.entries(CASES))('%s', async (_, drafts) => {
    await using line = await sealedWith(drafts);
    const before = await planPicture(line.database);
    const [workflow] = await line.database.rows<{ id: number }>(
      `SELECT id FROM workflow WHERE name = 'w'`,
    );
    const workflowId = workflow?.id ?? 0;
    const { planToken, ...preview } = await line.commands.previewPatch(workflowId);
    expect(await planPicture(line.database)).toEqual(before);
    const patch = await line.commands.patchPlan({ workflowId, planToken });
    expect(patch).toEqual(preview);

    await using other = await plannedWith(drafts);
    expect(await planPicture(line.database)).toEqual(await planPicture(other.database));
    expect(await brokenInvariants(line.database)).toEqual([]);
    expect(await checkPlans(line.database)).toEqual({ checked: 1, changed: [] });

    line.clock.set('2026-11-22T15:59:00Z');
    other.clock.set('2026-11-22T15:59:00Z');
    const ran = await line.drain(await line.worker());
    expect(ran.sort()).toEqual((await other.drain(await other.worker())).sort());
    expect(await brokenInvariants(line.database)).toEqual([]);
  });
});

test('a preview lists what is added, replaced, cancelled and isolated, by name and time', async () => {
  await using line = await sealedWith({
    others: { report: { nodes: [node('sum', [], { needs: [{ workflow: 'w', node: 'b' }] })] } },
    old: { schedule: { cron: '0 1 * * *' }, nodes: [node('a'), node('b', ['a']), node('x')] },
    new: {
      schedule: { cron: '0 1 * * *' },
      nodes: [
        node('a', [], { priority: 8 }),
        node('b', ['a'], { schedule: { cron: '0 3 * * *', effectiveFrom: '2026-12-01' } }),
        node('c', ['a']),
        node('x'),
      ],
    },
  });
  const [{ id: workflowId } = { id: 0 }] = await line.database.rows<{ id: number }>(
    `SELECT id FROM workflow WHERE name = 'w'`,
  );
  const patch = await line.commands.previewPatch(workflowId);
  expect(names(patch.added)).toEqual(['w/c 11-21T17:00']);
  expect(patch.replaced).toMatchObject([{ node: 'a', changes: ['priority'] }]);
  expect(names(patch.cancelled)).toEqual(['w/b 11-21T17:00']);
  expect(names(patch.isolated)).toEqual(['report/sum 11-21T16:00']);
  expect(patch.isolated).toMatchObject([{ upstream: 'w/b' }]);
  expect(patch).toMatchObject({ kept: 1, version: 2, bizdate: '2026-11-21', revision: 1 });
});

test('an instance is isolated from one upstream although it keeps another of the same workflow', async () => {
  const needs = ['a', 'b'].map((each) => ({ workflow: 'w', node: each }));
  await using line = await sealedWith({
    others: { report: { nodes: [node('sum', [], { needs })] } },
    old: { nodes: [node('a'), node('b')] },
    new: { nodes: [node('a'), node('b', [], { schedule: { effectiveFrom: '2026-12-01' } })] },
  });
  const patch = await line.commands.previewPatch(await idOf(line));
  expect(names(patch.isolated)).toEqual(['report/sum 11-21T16:00']);
  expect(patch.isolated).toMatchObject([{ upstream: 'w/b' }]);
});

test('a preview waits for nobody, so no claim, finish or submit waits for it', async () => {
  await using line = await sealedWith({
    others: { report: { nodes: [node('sum', [], { needs: [{ workflow: 'w', node: 'h' }] })] } },
    old: { nodes: [node('h', [], { selfDependence: true })] },
    new: { nodes: [node('h', [], { selfDependence: true, schedule: { cron: '0 */6 * * *' } })] },
  });
  const workflowId = await idOf(line);
  const alone = await line.commands.previewPatch(workflowId);
  expect(alone).toMatchObject({ added: { length: 3 }, isolated: [] });
  await line.database.transaction(async (tx) => {
    // Each lock that somebody else can have; a preview that asked for one of its own would stand here.
    for (const table of TOUCHED) await tx.rows(`SELECT FROM ${table} FOR UPDATE`);
    const blocked = setTimeout(10_000, 'blocked', { ref: false });
    expect(await Promise.race([line.commands.previewPatch(workflowId), blocked])).toEqual(alone);
  });
});

const TOUCHED = [
  'workspace',
  'workflow',
  'workflow_version',
  'plan',
  'run_group',
  'resource_group',
  'workflow_instance',
  'node_instance',
  'instance_edge',
  'awaited_edge',
  'due_instance',
];

const SIMPLE = {
  old: { schedule: { cron: '0 1 * * *' }, nodes: [node('a'), node('b', ['a']), node('c')] },
  new: { schedule: { cron: '0 2 * * *' }, nodes: [node('a'), node('b', ['a']), node('c')] },
};

async function idOf(line: Line, name = 'w'): Promise<number> {
  const [row] = await line.database.rows<{ id: number }>(
    `SELECT id FROM workflow WHERE name = $1`,
    [name],
  );
  return row?.id ?? 0;
}

async function patchAll(line: Line): ReturnType<Line['commands']['patchPlan']> {
  const workflowId = await idOf(line);
  const { planToken } = await line.commands.previewPatch(workflowId);
  return await line.commands.patchPlan({ workflowId, planToken });
}

describe('a patch is refused', () => {
  test('when the world is not what its preview saw, with the difference', async () => {
    await using line = await sealedWith(SIMPLE);
    const workflowId = await idOf(line);
    const { planToken } = await line.commands.previewPatch(workflowId);
    await line.submit('w', { ...SIMPLE.new, nodes: [node('a')] });
    const before = await planPicture(line.database);
    await expect(line.commands.patchPlan({ workflowId, planToken })).rejects.toMatchObject({
      code: 'MR-S173',
      detail: expect.stringContaining('version of the workflow: 2 then, 3 now'),
    });
    await expect(
      line.commands.patchPlan({ workflowId, planToken: 'bm9uZQ' }),
    ).rejects.toMatchObject({ code: 'MR-S173', detail: 'it is not the token of a preview.' });
    expect(await planPicture(line.database)).toEqual(before);
  });

  test('when only the instances are others, their number being the same', async () => {
    await using line = await sealedWith(SIMPLE);
    const workflowId = await idOf(line);
    const { planToken } = await line.commands.previewPatch(workflowId);
    await line.database.run(
      `UPDATE node_instance SET scheduled_at = scheduled_at + interval '1 minute'
        WHERE node_id = (SELECT min(id) FROM node)`,
    );
    await expect(line.commands.patchPlan({ workflowId, planToken })).rejects.toMatchObject({
      code: 'MR-S173',
      detail: 'other instances are added, replaced, cancelled or isolated.',
    });
  });

  test('when something that it would cancel or replace has begun, and it names it', async () => {
    await using line = await sealedWith({
      ...SIMPLE,
      new: { ...SIMPLE.old, nodes: [node('a'), node('b', ['a'], { priority: 8 })] },
    });
    line.clock.set('2026-11-21T17:00:00Z');
    await line.release();
    const before = await planPicture(line.database);
    await expect(line.commands.previewPatch(await idOf(line))).rejects.toMatchObject({
      code: 'MR-S172',
      detail: 'c of 2026-11-21T17:00:00.000Z is waiting_resource.',
    });
    expect(await planPicture(line.database)).toEqual(before);
  });

  test('not because of what has begun and stays as it is', async () => {
    await using line = await sealedWith({
      ...SIMPLE,
      new: { ...SIMPLE.old, nodes: [node('a'), node('b', ['a'], { priority: 8 }), node('c')] },
    });
    line.clock.set('2026-11-21T17:00:00Z');
    await line.release();
    const [running] = await (await line.worker()).claim(1);
    expect(running?.nodeName).toBe('a');
    expect(await patchAll(line)).toMatchObject({ kept: 2, replaced: [{ node: 'b' }] });
    expect(await brokenInvariants(line.database)).toEqual([]);
  });

  test('when an edge would lead to what has begun', async () => {
    await using line = await sealedWith({
      ...SIMPLE,
      new: { ...SIMPLE.old, nodes: [node('a'), node('b', ['a']), node('c', ['a'])] },
    });
    line.clock.set('2026-11-21T17:00:00Z');
    await line.release();
    await expect(line.commands.previewPatch(await idOf(line))).rejects.toMatchObject({
      code: 'MR-S172',
      detail: 'c of 2026-11-21T17:00:00.000Z is waiting_resource.',
    });
  });

  test('when there is no plan without the version, or the workflow is not scheduled', async () => {
    await using line = await Line.open({ now: '2026-11-21T04:00:00Z' });
    const { workflowId } = await line.submit('w', SIMPLE.old);
    const preview = (): Promise<unknown> => line.commands.previewPatch(workflowId);
    await expect(preview()).rejects.toMatchObject({
      code: 'MR-S171',
      detail: 'The plan of 2026-11-20 in Asia/Shanghai is not made yet.',
    });
    line.clock.set('2026-11-21T15:30:00Z');
    await line.generator.generateDue();
    await expect(preview()).rejects.toMatchObject({ code: 'MR-S171' });
    await line.submit('w', SIMPLE.new);
    await line.database.run(`UPDATE workflow SET scheduled = false`);
    await expect(preview()).rejects.toMatchObject({
      code: 'MR-S171',
      detail: '"w" is not scheduled.',
    });
    await expect(line.commands.patchPlan({ workflowId, planToken: 'e30' })).rejects.toMatchObject({
      code: 'MR-S171',
    });
  });
});

test('a workflow that the plan was made without is added to it as a whole', async () => {
  await using line = await sealedWith({ ...SIMPLE, new: SIMPLE.old });
  const { workflowId } = await line.submit('late', {
    nodes: [node('d', [], { needs: [{ workflow: 'w', node: 'a' }] })],
  });
  const { planToken, ...preview } = await line.commands.previewPatch(workflowId);
  expect(names(preview.added)).toEqual(['late/d 11-21T16:00']);
  await line.commands.patchPlan({ workflowId, planToken });
  expect(await line.instances(`n.name = 'd'`)).toMatchObject([
    { status: 'waiting_upstream', pending: 1 },
  ]);
  expect(await checkPlans(line.database)).toMatchObject({ changed: [] });
  line.clock.set('2026-11-22T15:00:00Z');
  await line.generator.generateDue();
  expect(await line.instances(`n.name = 'd'`)).toHaveLength(2);
});

test('what users did to instances stays: another priority, freezing, a removed edge', async () => {
  await using line = await sealedWith({
    old: { nodes: [node('a'), node('b', ['a']), node('c')] },
    new: { nodes: [node('a'), node('b', ['a', 'c']), node('c')], parameters: { x: '1' } },
  });
  const by = new Map((await line.instances()).map((each) => [each.node, each]));
  const key = (name: string): { planDay: string; id: number; userId: number } => ({
    planDay: by.get(name)?.plan_day ?? '',
    id: by.get(name)?.id ?? 0,
    userId: 0,
  });
  await line.commands.changeInstance({ ...key('a'), change: { priority: 8 } });
  await line.commands.freezeInstance(key('c'));
  await line.commands.unlinkUpstreams({ ...key('b'), upstreams: [key('a')] });
  await patchAll(line);
  const [row] = await line.database.rows<{ priority: number }>(
    `SELECT priority FROM node_instance i JOIN node n ON n.id = i.node_id WHERE n.name = 'a'`,
  );
  expect(row?.priority).toBe(8);
  expect(await line.instances(`n.name = 'c'`)).toMatchObject([{ frozen: true }]);
  // Its new upstream counts, the one that was removed still does not.
  expect(await line.instances(`n.name = 'b'`)).toMatchObject([
    { pending: 1, status: 'waiting_upstream' },
  ]);
  expect(await brokenInvariants(line.database)).toEqual([]);
});

test('after the patch of one plan the one before it can be patched, and its chain leads on', async () => {
  const chain = (cron: string): object => ({
    nodes: [node('h', [], { selfDependence: true, schedule: { cron } })],
  });
  await using line = await sealedWith({ old: chain('0 */12 * * *'), new: chain('0 */12 * * *') });
  line.clock.set('2026-11-22T15:30:00Z');
  await line.generator.generateDue();
  line.clock.set('2026-11-22T15:35:00Z');
  await line.submit('w', chain('0 */8 * * *'));
  expect(await patchAll(line)).toMatchObject({ bizdate: '2026-11-22' });
  // Today's plan: its first cycle has not begun, because no scheduler has released it.
  const patch = await patchAll(line);
  expect(patch).toMatchObject({ bizdate: '2026-11-21', version: 3 });
  expect(names(patch.added)).toEqual(['w/h 11-22T00:00', 'w/h 11-22T08:00']);
  expect(names(patch.cancelled)).toEqual(['w/h 11-22T04:00']);
  const edges = await line.database.rows<{ down: Date; up: Date }>(
    `SELECT d.scheduled_at AS down, u.scheduled_at AS up FROM instance_edge e
       JOIN node_instance d ON d.id = e.downstream_id JOIN node_instance u ON u.id = e.upstream_id
      ORDER BY 1`,
  );
  const times = edges.map(({ down, up }) => [down, up].map((at) => at.toISOString().slice(5, 13)));
  expect(times).toEqual([
    ['11-22T00', '11-21T16'],
    ['11-22T08', '11-22T00'],
    ['11-22T16', '11-22T08'],
    ['11-23T00', '11-22T16'],
    ['11-23T08', '11-23T00'],
  ]);
  expect(await brokenInvariants(line.database)).toEqual([]);
  expect(await checkPlans(line.database)).toEqual({ checked: 2, changed: [] });
});
