import { z } from 'zod';

import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

const entrySchema = z.looseObject({
  at: z.string(),
  user: z.string().nullable(),
  action: z.string(),
  target: z.string(),
  fields: z.array(z.string()),
  comment: z.string().nullable(),
});

const DEFAULT_LIMIT = 100;

export const auditLs: Command = {
  path: ['audit', 'ls'],
  summary: 'List who did what, newest first, and the comment they gave',
  args: [],
  options: {
    target: { type: 'string', value: 'ID', help: 'only what was done to this, e.g. an instance' },
    user: { type: 'string', value: 'NAME', help: 'only what this user did' },
    action: {
      type: 'string',
      value: 'ACTION',
      help: 'only this, as workflow.submitted, or workflow for all that was done to workflows',
    },
    from: { type: 'string', value: 'TIME', help: 'not before, e.g. 2026-11-21T00:00:00Z' },
    to: { type: 'string', value: 'TIME', help: 'before' },
    limit: { type: 'string', value: 'N', help: `at most so many (${DEFAULT_LIMIT})` },
  },
  examples: ['millrace audit ls --target inst_20261121_42'],
  async run({ flags, printer, io, api, workspace }) {
    const path = `/workspaces/${encodeURIComponent(await workspace())}/audit`;
    const limit = flags.count('limit') ?? DEFAULT_LIMIT;
    const { items, more } = await (
      await api()
    ).list(path, entrySchema, limit, {
      target: flags.text('target'),
      user: flags.text('user'),
      action: flags.text('action'),
      from: flags.text('from'),
      to: flags.text('to'),
    });
    printer.list(
      items,
      [
        { title: 'at', of: (e) => e.at },
        { title: 'user', of: (e) => e.user ?? '' },
        { title: 'action', of: (e) => e.action },
        { title: 'target', of: (e) => e.target },
        { title: 'fields', of: (e) => e.fields.join(', ') },
        { title: 'comment', of: (e) => e.comment ?? '' },
      ],
      (e) => e.target,
    );
    if (more) io.stderr('There are more; raise --limit.\n');
    return EXIT.ok;
  },
};
