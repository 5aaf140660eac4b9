import { describe, expect, test } from '@jest/globals';

import { checkPlans } from '../../../src/store/repositories/plan-repository.js';
import type { Submitted } from '../../../src/scheduler/submit-workflow.js';
import type { SubmitPlan } from '../../../src/scheduler/submit-plan.js';
import { brokenInvariants } from '../../support/invariants.js';
import { Line, node } from '../../support/line.js';

async function submit(
  line: Line,
  name: string,
  draft: object,
  plan: SubmitPlan,
  allowIsolated?: boolean,
): Promise<Submitted> {
  const workflowId = await line.draft(name, draft);
  const options = { workflowId, userId: null, comment: '', plan, allowIsolated };
  return await line.commands.submitWorkflow(options);
}

async function times(line: Line, where = 'true'): Promise<string[]> {
  const rows = await line.instances(where);
  return rows.map((row) => `${row.node} ${row.scheduled_at.toISOString().slice(5, 16)}`);
}

/** 13:30 in Shanghai of the 22nd, whose plan is that of business date 2026-11-21. */
async function atNoon(name: string, draft: object): Promise<Line> {
  const line = await Line.open({ now: '2026-11-21T14:30:00Z' });
  await line.submit(name, draft);
  await line.generator.generateDue();
  line.clock.set('2026-11-22T05:30:00Z');
  await line.generator.generateDue();
  return line;
}

const hourly = (hours: string): object => ({ schedule: { cron: `0 ${hours} * * *` } });

test('on the third day: not in the plan of tomorrow, although that is not made yet', async () => {
  await using line = await atNoon('w', { nodes: [node('old')] });
  const { firstBizdate } = await submit(line, 'w', { nodes: [node('new')] }, 'third-day');
  expect(firstBizdate).toBe('2026-11-23');
  line.clock.set('2026-11-22T14:30:00Z');
  await line.generator.generateDue();
  line.clock.set('2026-11-23T14:30:00Z');
  await line.generator.generateDue();
  expect(await times(line)).toEqual(['old 11-21T16:00', 'old 11-22T16:00', 'new 11-23T16:00']);
});

describe('immediately', () => {
  test('what is still to come follows the new version, what ran or whose time is over stays', async () => {
    await using line = await atNoon('w', { nodes: [node('h', [], hourly('*/4'))] });
    await line.drain(await line.worker());
    const { firstBizdate, patched } = await submit(
      line,
      'w',
      { nodes: [node('h', [], hourly('*/3')), node('end', ['h'], hourly('23'))] },
      'immediately',
    );
    expect(firstBizdate).toBe('2026-11-21');
    expect(patched).toMatchObject([{ bizdate: '2026-11-21', state: 'sealed', version: 2 }]);
    // Local 00, 04, 08 and 12 have run; of the others those of the new version remain.
    expect(await times(line)).toEqual([
      'h 11-21T16:00',
      'h 11-21T20:00',
      'h 11-22T00:00',
      'h 11-22T04:00',
      'h 11-22T07:00',
      'h 11-22T10:00',
      'h 11-22T13:00',
      'end 11-22T15:00',
    ]);
    expect(await line.instances(`n.name = 'end'`)).toMatchObject([{ pending: 3 }]);
    expect(await brokenInvariants(line.database)).toEqual([]);
    expect(await checkPlans(line.database)).toMatchObject({ changed: [] });

    line.clock.set('2026-11-22T15:50:00Z');
    expect(await line.drain(await line.worker())).toEqual(['h', 'h', 'h', 'end']);
    await line.generator.generateDue();
    expect(await times(line, `i.bizdate = '2026-11-22'`)).toHaveLength(9);
  });

  test('a preview shows what it would change of the plans, and changes nothing', async () => {
    await using line = await atNoon('w', { nodes: [node('h', [], hourly('*/4')), node('gone')] });
    await submit(line, 'up', { nodes: [node('load', [], hourly('20'))] }, 'next-day');
    const draft = {
      nodes: [
        node('h', [], { ...hourly('*/3'), needs: [{ workflow: 'up', node: 'load' }] }),
        node('end', ['h'], hourly('23')),
      ],
    };
    const pictureOf = async (): Promise<unknown> => [
      await line.instances(),
      await line.database.rows('SELECT * FROM plan'),
      await line.database.rows('SELECT * FROM workflow ORDER BY id'),
      await line.database.rows('SELECT * FROM workflow_version ORDER BY id'),
      await line.database.rows('SELECT * FROM event_outbox ORDER BY id'),
    ];
    const before = await pictureOf();
    const { workspaceId } = line;
    const ask = { workspaceId, name: 'w', draft, plan: 'immediately' } as const;
    const preview = await line.commands.previewSubmit(ask);
    const later = await line.commands.previewSubmit({ ...ask, plan: 'next-day' });
    const fresh = await line.commands.previewSubmit({
      ...ask,
      name: 'new',
      draft: { nodes: [node('a', [], hourly('22'))] },
    });
    expect(await pictureOf()).toEqual(before);

    expect(later).toEqual({
      version: 2,
      firstBizdate: '2026-11-22',
      plannedWithout: null,
      patched: [],
    });
    expect(fresh).toMatchObject({ version: 1, patched: [{ added: [{ node: 'a' }] }] });
    expect(preview.patched).toMatchObject([
      { added: expect.anything(), isolated: expect.anything() },
    ]);
    const { versionId: _, ...submitted } = await submit(line, 'w', draft, 'immediately', true);
    expect(preview).toEqual(submitted);
    await expect(line.commands.previewSubmit({ workspaceId, name: 'no' })).rejects.toMatchObject({
      code: 'MR-A104',
    });
  });

  test('after the cut-off the plan of tomorrow follows it too', async () => {
    await using line = await atNoon('w', { nodes: [node('a', [], hourly('23'))] });
    line.clock.set('2026-11-22T14:30:00Z');
    await line.generator.generateDue();
    const { patched } = await submit(
      line,
      'w',
      { nodes: [node('b', [], hourly('23'))] },
      'immediately',
    );
    expect(patched.map((patch) => patch.bizdate)).toEqual(['2026-11-22', '2026-11-21']);
    expect(await times(line)).toEqual(['b 11-22T15:00', 'b 11-23T15:00']);
  });

  test('an upstream that is planned from tomorrow on is named, and nothing is submitted', async () => {
    await using line = await atNoon('w', { nodes: [node('a')] });
    await submit(line, 'up', { nodes: [node('load', [], hourly('20'))] }, 'next-day');
    const down = {
      nodes: [node('sum', [], { ...hourly('22'), needs: [{ workflow: 'up', node: 'load' }] })],
    };
    await expect(submit(line, 'down', down, 'immediately')).rejects.toMatchObject({
      code: 'MR-S174',
      detail: expect.stringContaining(
        'down/sum of 2026-11-22T14:00:00.000Z would not wait for up/load',
      ),
    });
    expect(await times(line, `n.name = 'sum'`)).toEqual([]);
    const versions = await line.database.rows(
      `SELECT FROM workflow_version v JOIN workflow w ON w.id = v.workflow_id WHERE w.name = 'down'`,
    );
    expect(versions).toEqual([]);

    const { patched } = await submit(line, 'down', down, 'immediately', true);
    expect(patched[0]?.isolated).toMatchObject([{ node: 'sum', upstream: 'up/load' }]);
    expect(await line.instances(`n.name = 'sum'`)).toMatchObject([{ pending: 0 }]);
  });

  test('with the upstream planned immediately as well, the downstream waits for it', async () => {
    await using line = await atNoon('w', { nodes: [node('a')] });
    await submit(line, 'up', { nodes: [node('load', [], hourly('20'))] }, 'immediately');
    const needs = [{ workflow: 'up', node: 'load' }];
    await submit(
      line,
      'down',
      { nodes: [node('sum', [], { ...hourly('22'), needs })] },
      'immediately',
    );
    line.clock.set('2026-11-22T15:50:00Z');
    expect(await line.drain(await line.worker())).toEqual(['a', 'load', 'sum']);
  });

  test('in a zone that was never planned today is opened, and the generator goes on with it', async () => {
    await using line = await Line.open({ now: '2026-11-22T05:30:00Z' });
    await submit(line, 'w', { nodes: [node('a', [], hourly('*/6'))] }, 'immediately');
    expect(await times(line)).toEqual(['a 11-22T10:00']);
    expect(await line.generator.generateDue()).toEqual(['Asia/Shanghai 2026-11-21']);
    line.clock.set('2026-11-22T14:30:00Z');
    expect(await line.generator.generateDue()).toEqual(['Asia/Shanghai 2026-11-22']);
    expect(await times(line)).toHaveLength(5);
    expect(await checkPlans(line.database)).toEqual({ checked: 1, changed: [] });
  });

  test('days that a scheduler has still to make up for are not skipped: it is refused', async () => {
    await using line = await atNoon('w', { nodes: [node('a')] });
    line.clock.set('2026-11-26T05:30:00Z');
    await expect(submit(line, 'w', { nodes: [node('b')] }, 'immediately')).rejects.toMatchObject({
      code: 'MR-S171',
    });
    await line.generator.generateDue();
    await submit(line, 'w', { nodes: [node('b')] }, 'immediately');
    expect(await times(line)).toHaveLength(5);
  });
});
