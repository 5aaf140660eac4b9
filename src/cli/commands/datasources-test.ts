import { dataSourcesPath, findDataSource, testOutcomeSchema } from '../api/data-source.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderTestOutcome } from '../output/test-outcome.js';

export const datasourcesTest: Command = {
  path: ['datasources', 'test'],
  summary: 'Test the connectivity of a data source, from a worker of a resource group',
  args: ['NAME'],
  completes: 'dataSource',
  options: {
    'resource-group': { type: 'string', value: 'NAME', help: 'where to test from' },
  },
  async run({ args, flags, printer, settings, api, workspace }) {
    const client = await api();
    const ws = await workspace();
    const found = await findDataSource(client, ws, args[0] ?? '');
    const resourceGroup = flags.text('resource-group');
    const { value: outcome } = await client.send(
      'POST',
      `${dataSourcesPath(ws)}/${found.id}/test`,
      testOutcomeSchema,
      { body: resourceGroup === undefined ? {} : { resourceGroup } },
    );
    printer.one(outcome, found.name, () => renderTestOutcome(outcome, settings.color));
    return outcome.status === 'succeeded' ? EXIT.ok : EXIT.failed;
  },
};
