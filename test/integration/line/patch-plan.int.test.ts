import { describe, expect, test } from '@jest/globals';

import type { PatchedInstance } from '../../../src/scheduler/patch/plan-patch.js';
import { checkPlans } from '../../../src/store/repositories/plan-repository.js';
import { brokenInvariants } from '../../support/invariants.js';
import { Line, node } from '../../support/line.js';

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

/** All instances and edges, without the ids that tell how they came to be there. */
async function picture(line: Line): Promise<string[]> {
  const instances = await line.database.rows<{ text: string }>(
    `SELECT format('%s/%s %s %s no %s %s, %s open, dry %s %s, frozen %s, priority %s, version %s, %s',
              w.name, n.name, i.bizdate, i.scheduled_at, i.period_no, i.status, i.pending, i.dry_run,
              i.dry_run_reason, i.frozen, i.priority, v.version, d.parameters) AS text
       FROM node_instance i JOIN node n ON n.id = i.node_id JOIN workflow w ON w.id = i.workflow_id
       JOIN workflow_version v ON v.id = i.version_id
       JOIN node_instance_detail d ON d.plan_day = i.plan_day AND d.instance_id = i.id`,
  );
  const edges = await line.database.rows<{ text: string }>(
    `SELECT format('%s %s <- %s %s %s %s %s', dn.name, d.scheduled_at, un.name, u.scheduled_at, e.kind,
              e.outcome, e.inherits_dry_run) AS text
       FROM instance_edge e
       JOIN node_instance d ON d.id = e.downstream_id JOIN node dn ON dn.id = d.node_id
       LEFT JOIN node_instance u ON u.id = e.upstream_id LEFT JOIN node un ON un.id = u.node_id
     UNION ALL
     SELECT format('%s %s waits for %s %s', dn.name, d.scheduled_at, n.name, a.scheduled_at)
       FROM awaited_edge a JOIN node n ON n.id = a.upstream_node_id
       JOIN node_instance d ON d.id = a.downstream_id JOIN node dn ON dn.id = d.node_id`,
  );
  const due = await line.database.rows<{ text: string }>(
    `SELECT format('due %s %s', n.name, due_at) AS text FROM due_instance u
       JOIN node_instance i ON i.id = u.instance_id JOIN node n ON n.id = i.node_id`,
  );
  const plans = await line.database.rows<{ text: string }>(
    `SELECT format('%s: %s instances, %s edges, %s', bizdate, instances, edges, checksum) AS text FROM plan`,
  );
  return [...instances, ...edges, ...due, ...plans].map(({ text }) => text).sort();
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
    const before = await picture(line);
    const [workflow] = await line.database.rows<{ id: number }>(
      `SELECT id FROM workflow WHERE name = 'w'`,
    );
    const workflowId = workflow?.id ?? 0;
    const { planToken, ...preview } = await line.commands.previewPatch(workflowId);
    expect(await picture(line)).toEqual(before);
    const patch = await line.commands.patchPlan({ workflowId, planToken });
    expect(patch).toEqual(preview);

    await using other = await plannedWith(drafts);
    expect(await picture(line)).toEqual(await picture(other));
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
