import { definePlugin } from '@millrace/sdk';
import { shellNode } from './shell-node.js';

export default definePlugin({
  name: '@millrace/plugin-shell',
  version: '0.1.0',
  sdk: '^0.1.0',
  title: 'Shell',
  nodes: [shellNode],
});
