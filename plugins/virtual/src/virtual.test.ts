import { expect, test } from '@jest/globals';
import plugin from './index.js';

test('a virtual node needs nothing, takes nothing and has no effect', async () => {
  const node = plugin.nodes?.[0];
  expect(node).toMatchObject({ type: 'virtual', effect: 'none' });
  expect(await node?.config['~standard'].validate({})).toEqual({ value: {} });
  expect(await node?.config['~standard'].validate({ sql: 'x' })).toHaveProperty('issues');
  expect(await node?.run(undefined as never, undefined as never)).toEqual({});
});
