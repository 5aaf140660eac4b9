import { importJobFile, MAP_OPTION, parametersOf } from '../api/sync-job.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderYaml } from '../output/yaml.js';

export const syncImport: Command = {
  path: ['sync', 'import'],
  summary: 'Show the sync node that a job file of DataWorks or DataX becomes',
  args: ['FILE'],
  options: {
    map: MAP_OPTION,
    workflow: {
      type: 'string',
      value: 'NAME',
      help: 'print a whole workflow file of this name, for `workflows submit`',
    },
  },
  examples: [
    'millrace sync import orders.json --map mysql_pub=shop --workflow orders -o yaml > orders.yaml',
  ],
  async run(ctx) {
    const job = await importJobFile(ctx, ctx.args[0] ?? '');
    const name = ctx.flags.text('workflow');
    const value = name === undefined ? job.config : workflowFile(name, job.config);
    ctx.printer.one(value, name ?? 'sync', () => renderYaml(value));
    return job.errors.length > 0 ? EXIT.validation : EXIT.ok;
  },
};

/** A workflow of this one node. */
function workflowFile(name: string, config: Readonly<Record<string, unknown>>): object {
  const nodes = [{ id: 'sync', type: 'sync', config }];
  return { name, draft: { parameters: parametersOf(config, []), nodes } };
}
