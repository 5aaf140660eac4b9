import { z } from 'zod';

import { findWorkflow } from '../api/workflow.js';
import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

const startedSchema = z.looseObject({
  id: z.string(),
  instances: z.number(),
  bizdates: z.number(),
});

export const backfill: Command = {
  path: ['backfill'],
  summary: 'Run a workflow for a range of business dates',
  args: ['WORKFLOW'],
  options: {
    from: { type: 'string', value: 'DATE', help: 'first business date' },
    to: { type: 'string', value: 'DATE', help: 'last business date' },
    name: { type: 'string', value: 'TEXT', help: 'name of the backfill' },
    order: { type: 'string', value: 'ORDER', help: 'asc (oldest first, default) or desc' },
  },
  examples: ['millrace backfill orders_daily --from 2026-11-01 --to 2026-11-07'],
  async run({ args, flags, printer, api, workspace }) {
    const from = flags.date('from');
    const to = flags.date('to');
    if (from === undefined || to === undefined) {
      throw usageError('--from and --to are needed', 'Add --from 2026-11-01 --to 2026-11-07.');
    }
    if (from > to) throw usageError(`--from ${from} is after --to ${to}`, 'Exchange them.');
    const order = flags.text('order') ?? 'asc';
    if (order !== 'asc' && order !== 'desc') {
      throw usageError(`--order ${order} is not known`, 'Use asc or desc.');
    }
    const client = await api();
    const ws = await workspace();
    const workflow = await findWorkflow(client, ws, args[0] ?? '');
    const { value } = await client.send(
      'POST',
      `/workspaces/${encodeURIComponent(ws)}/backfills`,
      startedSchema,
      {
        body: {
          workflow: workflow.id,
          from,
          to,
          name: flags.text('name') ?? `${workflow.name} ${from} to ${to}`,
          order,
        },
      },
    );
    printer.one(
      value,
      value.id,
      () =>
        `Backfill ${value.id}: ${value.instances} instances for ${value.bizdates} business dates.\n`,
    );
    return EXIT.ok;
  },
};
