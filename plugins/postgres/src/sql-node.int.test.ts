import type { Outputs } from '@millrace/sdk';
import { crashAt, makeNodeContext, parseConfig, SimulatedCrash } from '@millrace/testkit';
import { expect, test } from '@jest/globals';
import { postgresSqlNode } from './sql-node.js';
import { openWorld } from './testing/world.js';

test('outputs are kept before the commit, and a retry that finds the work done returns none', async () => {
  await using world = await openWorld('CREATE TABLE t (id int)');
  const kept: { readonly outputs: Outputs; readonly committed: number }[] = [];
  const run = async (point: string | undefined, attempt: number) => {
    await using ctx = await makeNodeContext([world.dataSource], {
      identity: { attempt, fence: String(attempt) },
      outputs: ['value'],
      keepOutputs: async (outputs) => {
        const [row] = await world.sql('SELECT count(*)::int AS n FROM t');
        kept.push({ outputs, committed: Number(row?.['n']) });
      },
      ...(point === undefined ? {} : { crashPoint: crashAt(point) }),
    });
    const sql = 'INSERT INTO t VALUES (1); SELECT count(*) + 41 FROM t';
    const config = await parseConfig(postgresSqlNode.config, { dataSource: 'pg', sql });
    return await postgresSqlNode.run(config, ctx);
  };
  await expect(run('sql:after-commit', 1)).rejects.toBeInstanceOf(SimulatedCrash);
  expect(kept).toEqual([{ outputs: { value: '42' }, committed: 0 }]);
  const again = await run(undefined, 2);
  expect(again.outputs ?? {}).toEqual({});
  expect(kept).toHaveLength(1);
});
