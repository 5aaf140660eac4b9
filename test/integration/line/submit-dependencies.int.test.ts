import { describe, expect, test } from '@jest/globals';

import { parseBizdate } from '../../../src/domain/calendar/bizdate.js';
import { Line, node } from '../../support/line.js';

async function refusal(
  line: Line,
  name: string,
  draft: unknown,
): Promise<{ code: string; detail: string; pointers: string[] }> {
  const error: unknown = await line.submit(name, draft).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('it was accepted');
  const { code, detail, errors } = error as unknown as {
    code: string;
    detail: string;
    errors: { pointer: string }[];
  };
  return { code, detail, pointers: errors.map((each) => each.pointer) };
}

function needing(id: string, ...needs: unknown[]): object {
  return { ...node(id), needs };
}

describe('submitting dependencies on other workflows', () => {
  test('refuses a workflow that is not there and offers the near name', async () => {
    await using line = await Line.open();
    await line.submit('orders', { nodes: [node('load')] });
    const { code, detail, pointers } = await refusal(line, 'w', {
      nodes: [node('a'), needing('b', 'a', { workflow: 'order', node: 'load' })],
    });
    expect(code).toBe('MR-S120');
    expect(detail).toContain('Did you mean "orders"?');
    expect(pointers).toEqual(['/nodes/1/needs/1']);
  });

  test('refuses a workflow that was never submitted, and a node that it does not have', async () => {
    await using line = await Line.open();
    await line.draft('empty', { nodes: [node('load')] });
    await line.submit('orders', { nodes: [node('load')] });
    const never = await refusal(line, 'w', {
      nodes: [needing('a', { workflow: 'empty', node: 'load' })],
    });
    expect(never).toMatchObject({ code: 'MR-S120', pointers: ['/nodes/0/needs/0'] });
    const ghost = await refusal(line, 'w', {
      nodes: [needing('a', { workflow: 'orders', node: 'ghost' })],
    });
    expect(ghost).toMatchObject({ code: 'MR-S121', pointers: ['/nodes/0/needs/0'] });
  });

  test('refuses a circle through three workflows and names its path', async () => {
    await using line = await Line.open();
    await line.submit('one', { nodes: [node('a'), node('b', ['a'])] });
    await line.submit('two', { nodes: [needing('c', { workflow: 'one', node: 'b' })] });
    await line.submit('three', { nodes: [needing('d', { workflow: 'two', node: 'c' })] });
    const { code, detail } = await refusal(line, 'one', {
      nodes: [needing('a', { workflow: 'three', node: 'd' }), node('b', ['a'])],
    });
    expect(code).toBe('MR-S122');
    const path = ['one/a', 'one/b', 'two/c', 'three/d'];
    const turns = path.map((_, at) =>
      [...path.slice(at), ...path.slice(0, at), path[at]].join(' -> '),
    );
    expect(turns.some((turn) => detail.includes(turn))).toBe(true);
  });

  test('takes two workflows that need each other in different nodes, and a circle across cycles', async () => {
    await using line = await Line.open();
    await line.submit('one', { nodes: [node('a'), node('z')] });
    await line.submit('two', { nodes: [needing('b', { workflow: 'one', node: 'a' })] });
    await line.submit('one', {
      nodes: [
        needing('a', { workflow: 'two', node: 'b', cycle: 'previous' }),
        needing('z', { workflow: 'two', node: 'b' }),
      ],
    });
  });

  test('refuses a version without a node that another workflow needs', async () => {
    await using line = await Line.open();
    await line.submit('orders', { nodes: [node('load'), node('clean', ['load'])] });
    await line.submit('report', { nodes: [needing('r', { workflow: 'orders', node: 'clean' })] });
    const { code, detail } = await refusal(line, 'orders', { nodes: [node('load')] });
    expect(code).toBe('MR-S123');
    expect(detail).toContain('"clean" is needed by report/r');
    await line.submit('report', { nodes: [node('r')] });
    await line.submit('orders', { nodes: [node('load')] });
  });

  test('takes its own name for its own workflow, and refuses a name twice and itself', async () => {
    await using line = await Line.open();
    await line.submit('w', { nodes: [node('a'), needing('b', { workflow: 'w', node: 'a' })] });
    const twice = await refusal(line, 'w', {
      nodes: [node('a'), needing('b', 'a', { workflow: 'w', node: 'a' })],
    });
    expect(twice).toMatchObject({ code: 'MR-A101', pointers: ['/nodes/1/needs'] });
    const own = await refusal(line, 'w', {
      nodes: [needing('a', { node: 'a', cycle: 'previous' })],
    });
    expect(own.detail).toContain('selfDependence');
    const ghost = await refusal(line, 'w', {
      nodes: [needing('a', { node: 'ghost', cycle: 'previous' })],
    });
    expect(ghost.code).toBe('MR-S108');
  });

  test('refuses instances that wait for each other, though their nodes do not, and names the times', async () => {
    await using line = await Line.open();
    const { code, detail } = await refusal(line, 'w', {
      nodes: [
        { ...needing('a', 'b'), schedule: { cron: '0 * * * *' } },
        { ...needing('b', 'c'), schedule: { cron: '0 10,11 * * *' } },
        {
          ...needing('c', { node: 'a', cycle: 'previous' }),
          schedule: { cron: '*/5 * * * *' },
        },
      ],
    });
    expect(code).toBe('MR-S124');
    expect(detail).toMatch(/ waits for b 1\d:00/);
  });

  test('refuses instances that wait for each other across two workflows, and names both', async () => {
    await using line = await Line.open();
    const b = { ...needing('b', 'c'), schedule: { cron: '0 10,11 * * *' } };
    const c = { ...node('c'), schedule: { cron: '*/5 * * * *' } };
    await line.submit('two', { nodes: [b, c] });
    const first = {
      nodes: [{ ...needing('a', { workflow: 'two', node: 'b' }), schedule: { cron: '0 * * * *' } }],
    };
    await line.submit('one', first);
    const { code, detail } = await refusal(line, 'two', {
      nodes: [b, { ...c, needs: [{ workflow: 'one', node: 'a', cycle: 'previous' }] }],
    });
    expect(code).toBe('MR-S124');
    expect(detail).toMatch(
      /b [\d-]+ 1\d:00 waits for c [\d:]+ waits for one\/a [\d:]+ waits for b /,
    );
    await line.submit('one', first);
  });

  test('refuses a circle of instances that first closes on a later business date', async () => {
    await using line = await Line.open();
    const { code, detail } = await refusal(line, 'w', {
      nodes: [
        { ...needing('a', 'b'), schedule: { cron: '0 * * * *' } },
        { ...needing('b', 'c'), schedule: { cron: '0 10,11 * * *' } },
        {
          ...needing('c', { node: 'a', cycle: 'previous' }),
          schedule: { cron: '*/5 * * * 1' },
        },
      ],
    });
    expect(code).toBe('MR-S124');
    // A Monday; the first day that is planned is a Sunday.
    expect(detail).toContain(' 2026-11-23 ');
  });

  test('refuses a circle of instances between two zones', async () => {
    await using line = await Line.open();
    const own = [
      { ...needing('a', 'b'), schedule: { cron: '0 * * * *' } },
      { ...node('b'), schedule: { cron: '0 20 * * *' } },
    ];
    await line.submit('one', { nodes: own });
    await line.submit('two', {
      timezone: 'America/Los_Angeles',
      nodes: [
        {
          ...needing('c', { workflow: 'one', node: 'a', cycle: 'previous' }),
          schedule: { cron: '0 * * * *' },
        },
      ],
    });
    const { code, detail } = await refusal(line, 'one', {
      nodes: [own[0], { ...own[1], needs: [{ workflow: 'two', node: 'c' }] }],
    });
    expect(code).toBe('MR-S124');
    expect(detail).toMatch(/b 2026-11-22 20:00 waits for two\/c [\d:]+ waits for a /);
  });

  test('refuses a circle with a version that is still in effect though a newer one is submitted', async () => {
    await using line = await Line.open();
    const b = { ...needing('b', 'c'), schedule: { cron: '0 10,11 * * *' } };
    const c = { ...node('c'), schedule: { cron: '*/5 * * * *' } };
    await line.submit('two', { nodes: [b, c] });
    const a = { ...needing('a', { workflow: 'two', node: 'b' }), schedule: { cron: '0 * * * *' } };
    const one = await line.submit('one', { nodes: [a] });
    await line.draft('one', { nodes: [{ ...a, needs: [] }] });
    const later = await line.commands.submitWorkflow({
      workflowId: one.workflowId,
      userId: null,
      comment: '',
      plan: 'third-day',
    });
    const draft = {
      nodes: [b, { ...c, needs: [{ workflow: 'one', node: 'a', cycle: 'previous' }] }],
    };
    expect(await refusal(line, 'two', draft)).toMatchObject({ code: 'MR-S124' });
    const workflowId = await line.draft('two', draft);
    const { firstBizdate } = await line.commands.submitWorkflow({
      workflowId,
      userId: null,
      comment: '',
      plan: 'third-day',
    });
    expect(firstBizdate).toBe(later.firstBizdate);
    // Into the plan of the day before it comes no more than by submitting it for that day.
    await line.generator.planDay(line.workspaceId, 'Asia/Shanghai', parseBizdate('2026-11-21'));
    await expect(line.commands.previewPatch(workflowId)).rejects.toMatchObject({ code: 'MR-S124' });
  });
});
