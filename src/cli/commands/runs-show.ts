import { z } from 'zod';

import { INSTANCE_COLUMNS } from '../api/instance.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderFields } from '../output/fields.js';
import { syncFields } from '../output/sync-fields.js';
import { renderTable } from '../output/table.js';
import { runSchema } from '../run-watch.js';

const named = z.looseObject({ name: z.string() });
const shownSchema = runSchema.extend({
  workflow: named,
  version: z.number(),
  bizdate: z.string(),
  runGroup: z.looseObject({ kind: z.string(), name: z.string() }),
  createdAt: z.string(),
});

export const runsShow: Command = {
  path: ['runs', 'show'],
  summary: 'Show one run of a workflow: its instances, and what its syncs do or have done',
  args: ['RUN'],
  options: {},
  examples: ['millrace runs show run_20261120_7'],
  async run({ args, printer, settings, api }) {
    const path = `/runs/${encodeURIComponent(args[0] ?? '')}`;
    const run = await (await api()).get(path, shownSchema);
    printer.one(run, run.id, () => {
      const head = renderFields({
        id: run.id,
        workflow: run.workflow.name,
        version: String(run.version),
        bizdate: run.bizdate,
        of: `${run.runGroup.kind} ${run.runGroup.name}`,
        created: run.createdAt,
      });
      const syncs = run.instances.flatMap(({ node, progress }) => {
        const fields = syncFields(progress ?? {});
        return Object.keys(fields).length === 0
          ? []
          : [renderFields({ sync: node.name, ...fields })];
      });
      return [head, renderTable(run.instances, INSTANCE_COLUMNS, settings.color), ...syncs].join(
        '\n',
      );
    });
    return EXIT.ok;
  },
};
