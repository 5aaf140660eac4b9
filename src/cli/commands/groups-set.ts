import { GROUPS_PATH, groupSchema, listGroups } from '../api/resource-group.js';
import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import type { Flags } from '../flags.js';
import { DRY_RUN } from '../global-options.js';

const NO_QUOTA = 'none';

export const groupsSet: Command = {
  path: ['groups', 'set'],
  summary: 'Change a resource group, or make the one of that name',
  args: ['NAME'],
  options: {
    slots: { type: 'string', value: 'N', help: 'what may run at once; a new group needs it' },
    'backfill-share': {
      type: 'string',
      value: 'PERCENT',
      help: 'of the slots that backfills may use',
    },
    'scheduling-slots': {
      type: 'string',
      value: 'N',
      help: 'instances of nodes that name it as their schedulingGroup at once',
    },
    description: { type: 'string', value: 'TEXT', help: 'what it is for' },
    quota: {
      type: 'string',
      multiple: true,
      value: 'TYPE=N',
      help: `slots that a node type may use at once; TYPE=${NO_QUOTA} removes it`,
    },
    'dry-run': DRY_RUN,
  },
  examples: ['millrace groups set nightly --slots 20 --quota sync=8'],
  async run({ args, flags, io, settings, printer, api }) {
    const name = args[0] ?? '';
    const fields = fieldsOf(flags);
    const quotas = quotasOf(flags);
    const client = await api();
    const known = (await listGroups(client)).find((group) => group.name === name);
    if (known === undefined && fields.slots === undefined)
      throw usageError(`There is no resource group "${name}" yet`, 'Add --slots N to make it.');
    if (settings.dryRun) {
      io.stderr(`Would ${known === undefined ? 'make' : 'change'} ${name}. Nothing was changed.\n`);
      return EXIT.ok;
    }
    const created =
      known === undefined
        ? (await client.send('POST', GROUPS_PATH, groupSchema, { body: { name, ...fields } })).value
        : undefined;
    const body = created === undefined ? { ...fields, ...quotas } : quotas;
    const id = (known ?? created)?.id ?? '';
    const value =
      created !== undefined && quotas.quotas === undefined
        ? created
        : (await client.send('PATCH', `${GROUPS_PATH}/${id}`, groupSchema, { body })).value;
    printer.one(value, value.name, () => `Saved ${value.name} (${value.id}).\n`);
    return EXIT.ok;
  },
};

function fieldsOf(flags: Flags): {
  readonly slots?: number;
  readonly backfillShare?: number;
  readonly schedulingSlots?: number;
  readonly description?: string;
} {
  const slots = flags.count('slots');
  const backfillShare = flags.count('backfill-share');
  const schedulingSlots = flags.count('scheduling-slots');
  const description = flags.text('description');
  return {
    ...(slots === undefined ? {} : { slots }),
    ...(backfillShare === undefined ? {} : { backfillShare }),
    ...(schedulingSlots === undefined ? {} : { schedulingSlots }),
    ...(description === undefined ? {} : { description }),
  };
}

function quotasOf(flags: Flags): { readonly quotas?: Readonly<Record<string, number | null>> } {
  const given = Object.entries(flags.pairs('quota'));
  if (given.length === 0) return {};
  const quotas = given.map(([type, text]) => {
    if (text === NO_QUOTA) return [type, null] as const;
    if (!/^\d{1,6}$/.test(text))
      throw usageError(
        `--quota ${type}=${text} is not a number of slots`,
        `Write it as --quota ${type}=4, or ${type}=${NO_QUOTA} to remove it.`,
      );
    return [type, Number(text)] as const;
  });
  return { quotas: Object.fromEntries(quotas) };
}
