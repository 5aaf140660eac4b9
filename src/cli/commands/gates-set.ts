import { gateSchema, gatesPath, listGates, targetOf } from '../api/gate.js';
import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import type { Flags } from '../flags.js';
import { DRY_RUN } from '../global-options.js';

export const gatesSet: Command = {
  path: ['gates', 'set'],
  summary: 'Let only so many instances of a node, of a workflow or with a data source run at once',
  args: ['CAPACITY'],
  options: {
    workflow: { type: 'string', value: 'NAME', completes: 'workflow', help: 'of this workflow' },
    node: { type: 'string', value: 'NAME', help: 'of this node of the workflow alone' },
    'data-source': {
      type: 'string',
      value: 'NAME',
      completes: 'dataSource',
      help: 'of all nodes that use this data source',
    },
    'dry-run': DRY_RUN,
  },
  examples: [
    'millrace gates set 1 --workflow orders --node load',
    'millrace gates set 4 --data-source shop_db',
  ],
  async run({ args, flags, io, settings, printer, api, workspace }) {
    const capacity = capacityOf(args[0] ?? '');
    const target = targetIn(flags);
    const client = await api();
    const path = gatesPath(await workspace());
    const text = targetOf(target);
    const known = (await listGates(client, await workspace())).find((g) => targetOf(g) === text);
    if (settings.dryRun) {
      io.stderr(`Would let ${capacity} of ${text} through at once. Nothing was changed.\n`);
      return EXIT.ok;
    }
    const { value } =
      known === undefined
        ? await client.send('POST', path, gateSchema, { body: { ...target, capacity } })
        : await client.send('PATCH', `${path}/${known.id}`, gateSchema, { body: { capacity } });
    printer.one(
      value,
      value.id,
      () => `${value.id} lets ${value.capacity} of ${text} through at once.\n`,
    );
    return EXIT.ok;
  },
};

function capacityOf(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw usageError(`"${text}" is not a capacity`, 'Give a whole number; 0 lets nothing through.');
}

function targetIn(flags: Flags): {
  readonly scope: string;
  readonly workflow?: string;
  readonly node?: string;
  readonly dataSource?: string;
} {
  const workflow = flags.text('workflow');
  const node = flags.text('node');
  const dataSource = flags.text('data-source');
  if (workflow === undefined && node === undefined && dataSource !== undefined)
    return { scope: 'data_source', dataSource };
  if (workflow !== undefined && dataSource === undefined)
    return node === undefined ? { scope: 'workflow', workflow } : { scope: 'node', workflow, node };
  throw usageError(
    'It is not clear what the gate is for',
    'Give either --workflow NAME, with --node NAME for one of its nodes, or --data-source NAME.',
  );
}
