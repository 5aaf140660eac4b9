import { z } from 'zod';

import { findWorkflow } from '../api/workflow.js';
import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';
import { counted } from '../output/counted.js';

const startedSchema = z.looseObject({
  id: z.string(),
  instances: z.number(),
  bizdates: z.number(),
});

export const backfill: Command = {
  path: ['backfill'],
  summary: 'Run a workflow for a range of business dates',
  args: ['WORKFLOW'],
  completes: 'workflow',
  options: {
    from: { type: 'string', value: 'DATE', help: 'first business date' },
    to: { type: 'string', value: 'DATE', help: 'last business date' },
    name: { type: 'string', value: 'TEXT', help: 'name of the backfill' },
    order: {
      type: 'string',
      value: 'ORDER',
      choices: ['asc', 'desc'],
      help: 'asc (oldest first, default) or desc',
    },
    'dry-run': DRY_RUN,
  },
  examples: ['millrace backfill orders_daily --from 2026-11-01 --to 2026-11-07'],
  async run({ args, flags, io, settings, printer, api, workspace }) {
    const from = flags.date('from');
    const to = flags.date('to');
    if (from === undefined || to === undefined) {
      throw usageError('--from and --to are needed', 'Add --from 2026-11-01 --to 2026-11-07.');
    }
    if (from > to) throw usageError(`--from ${from} is after --to ${to}`, 'Exchange them.');
    const client = await api();
    const ws = await workspace();
    const workflow = await findWorkflow(client, ws, args[0] ?? '');
    if (settings.dryRun) {
      const days = counted(daysBetween(from, to), 'business date');
      io.stderr(`Would run ${workflow.name} for ${days}, ${from} to ${to}. Nothing was started.\n`);
      return EXIT.ok;
    }
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
          order: flags.text('order') ?? 'asc',
        },
      },
    );
    printer.one(
      value,
      value.id,
      () =>
        `Backfill ${value.id}: ${counted(value.instances, 'instance')} for ${counted(value.bizdates, 'business date')}.\n`,
    );
    return EXIT.ok;
  },
};

function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1;
}
