import { describe, expect, test } from '@jest/globals';

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
});
