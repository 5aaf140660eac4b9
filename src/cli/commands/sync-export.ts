import { z } from 'zod';

import { syncPath } from '../api/sync-job.js';
import { findWorkflow, workflowsPath } from '../api/workflow.js';
import { CliError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

const draftSchema = z.looseObject({
  draft: z.looseObject({
    nodes: z.array(z.looseObject({ id: z.string(), type: z.string(), config: z.unknown() })),
  }),
});
const exportedSchema = z.looseObject({ text: z.string(), onlyHere: z.array(z.string()) });

export const syncExport: Command = {
  path: ['sync', 'export'],
  summary: 'Write a sync node as a job file of DataWorks or DataX',
  args: ['WORKFLOW', 'NODE'],
  completes: 'workflow',
  options: {
    format: {
      type: 'string',
      value: 'FORMAT',
      choices: ['datax', 'dataworks-2.0', 'dataworks-1.0'],
      help: 'datax (default), dataworks-2.0 or dataworks-1.0',
    },
  },
  examples: ['millrace sync export orders_daily load --format dataworks-2.0 > load.json'],
  async run({ args, flags, io, printer, api, workspace }) {
    const client = await api();
    const ws = await workspace();
    const { id, name } = await findWorkflow(client, ws, args[0] ?? '');
    const { draft } = await client.get(`${workflowsPath(ws)}/${id}`, draftSchema);
    const node = draft.nodes.find((each) => each.id === args[1] && each.type === 'sync');
    if (node === undefined) {
      throw new CliError(`${name} has no sync node "${args[1] ?? ''}"`, {
        exitCode: EXIT.conflict,
        fix: `See \`millrace workflows show ${name}\`.`,
      });
    }
    const body = { config: node.config, dialect: flags.text('format') ?? 'datax' };
    const { value } = await client.send('POST', `${syncPath(ws)}/export`, exportedSchema, { body });
    for (const pointer of value.onlyHere) {
      io.stderr(`only Millrace reads this, other tools do without: ${pointer}\n`);
    }
    printer.one(value, node.id, () => value.text);
    return EXIT.ok;
  },
};
