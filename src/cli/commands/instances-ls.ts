import { INSTANCE_STATUSES } from '../../domain/instance/status.js';
import { INSTANCE_COLUMNS, instanceSchema } from '../api/instance.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const instancesLs: Command = {
  path: ['instances', 'ls'],
  summary: 'List instances, newest first',
  args: [],
  options: {
    bizdate: { type: 'string', value: 'DATE', help: 'of this business date' },
    status: {
      type: 'string',
      value: 'STATUS',
      choices: INSTANCE_STATUSES,
      help: 'in this state, e.g. failed',
    },
    'upstream-failed': { type: 'boolean', help: 'that wait for an upstream that failed' },
    workflow: { type: 'string', value: 'NAME', completes: 'workflow', help: 'of this workflow' },
    node: { type: 'string', value: 'NAME', help: 'of this node' },
    limit: { type: 'string', value: 'N', help: 'at most this many (100)' },
  },
  examples: ['millrace instances ls --bizdate 2026-11-20 --status failed'],
  async run({ flags, printer, io, api, workspace }) {
    const limit = flags.count('limit') ?? 100;
    const query = {
      bizdate: flags.date('bizdate'),
      status: flags.text('status'),
      upstreamFailed: flags.isSet('upstream-failed') ? 'true' : undefined,
      workflow: flags.text('workflow'),
      node: flags.text('node'),
    };
    const path = `/workspaces/${encodeURIComponent(await workspace())}/instances`;
    const { items, more } = await (await api()).list(path, instanceSchema, limit, query);
    printer.list(items, INSTANCE_COLUMNS, (instance) => instance.id);
    if (more) io.stderr(`There are more than ${limit}: use --limit.\n`);
    return EXIT.ok;
  },
};
