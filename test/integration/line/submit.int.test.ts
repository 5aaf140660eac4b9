import { describe, expect, test } from '@jest/globals';

import { Line, node } from '../../support/line.js';

async function refusal(
  draft: unknown,
): Promise<{ code: string; detail: string; pointers: string[] }> {
  await using line = await Line.open();
  const error: unknown = await line.submit('w', draft).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const { code, detail, errors } = error as {
    code: string;
    detail: string;
    errors: { pointer: string }[];
  };
  return { code, detail, pointers: errors.map((each) => each.pointer) };
}

describe('submitting a workflow', () => {
  test('refuses a cycle and names its path', async () => {
    const { code, detail } = await refusal({
      nodes: [node('a', ['c']), node('b', ['a']), node('c', ['b'])],
    });
    expect(code).toBe('MR-S101');
    expect(detail).toMatch(/a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c/);
  });

  test('refuses a type that no plugin has and lists those there are', async () => {
    const { code, detail, pointers } = await refusal({ nodes: [{ id: 'a', type: 'sparkle' }] });
    expect(code).toBe('MR-S102');
    expect(detail).toContain('virtual');
    expect(pointers).toEqual(['/nodes/0/type']);
  });

  test('refuses bad configuration field by field, all nodes at once', async () => {
    const { code, pointers } = await refusal({
      nodes: [
        { id: 'a', type: 'shell', config: { command: 7 } },
        { id: 'b', type: 'shell', config: { command: 'true', colour: 'red' } },
      ],
    });
    expect(code).toBe('MR-S103');
    expect(pointers).toContain('/nodes/0/config/command');
    expect(pointers.some((pointer) => pointer.startsWith('/nodes/1/config'))).toBe(true);
  });

  test('refuses a data source that is not there and names it', async () => {
    const { code, detail } = await refusal({
      nodes: [
        {
          id: 'export',
          type: 'sync',
          config: {
            source: { dataSource: 'shop_db', table: 't' },
            target: { dataSource: 'dwh', table: 't' },
          },
        },
      ],
    });
    expect(code).toBe('MR-S104');
    expect(detail).toContain('shop_db');
    expect(detail).toContain('dwh');
  });

  test('refuses an edge to a node that does not exist', async () => {
    const { code, detail } = await refusal({ nodes: [node('a', ['ghost'])] });
    expect(code).toBe('MR-S108');
    expect(detail).toContain('ghost');
  });

  test('refuses a schedule and a parameter expression that cannot be read', async () => {
    const bad = await refusal({
      schedule: { cron: '0 0 * *' },
      nodes: [node('a', [], { parameters: { ds: '${yyyymmdd-1/24}' } })],
    });
    expect(bad.code).toBe('MR-S105');
    expect(bad.pointers).toEqual(expect.arrayContaining(['/schedule/cron', '/nodes/0/parameters']));
  });

  test('refuses a schedule of the workflow that cannot be read, also where every node has its own', async () => {
    const { code, pointers } = await refusal({
      schedule: { cron: '0 0 1 1 1-5 2027' },
      nodes: [node('a', [], { schedule: { cron: '0 1 * * *' } })],
    });
    expect(code).toBe('MR-S105');
    expect(pointers).toEqual(['/schedule/cron']);
  });

  test('refuses an unknown resource group and more slots than the group has', async () => {
    const { code, pointers } = await refusal({
      nodes: [node('a', [], { resourceGroup: 'gpu' }), node('b', [], { slots: 11 })],
    });
    // Not the 404 of a path: the workflow is there, and its draft is not valid.
    expect(code).toBe('MR-S142');
    expect(pointers).toEqual(['/nodes/0/resourceGroup', '/nodes/1/slots']);
  });

  test('makes a version that a later draft does not change', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
    const versions = await line.database.rows<{ version: number; nodes: number }>(
      `SELECT version, jsonb_array_length(spec -> 'nodes') AS nodes FROM workflow_version
        WHERE workflow_id = $1 ORDER BY version`,
      [workflowId],
    );
    expect(versions).toEqual([
      { version: 1, nodes: 1 },
      { version: 2, nodes: 2 },
    ]);
  });
});
