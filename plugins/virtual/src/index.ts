import { defineNode, definePlugin } from '@millrace/sdk';
import { z } from 'zod';

const virtualNode = defineNode({
  type: 'virtual',
  title: 'Virtual node',
  description:
    'Does nothing and succeeds at once, without a slot: the root or the joint of a workflow.',
  config: z.strictObject({}),
  configVersion: 1,
  examples: [{}],
  effect: 'none',
  dataSourcesOf: () => [],
  run: () => Promise.resolve({}),
});

export default definePlugin({
  name: '@millrace/plugin-virtual',
  version: '0.1.0',
  sdk: '^0.1.0',
  title: 'Virtual node',
  nodes: [virtualNode],
});
