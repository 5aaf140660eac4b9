import { z } from 'zod';

import { WAITING_STATUSES } from '../domain/instance/status.js';
import { INSTANCE_COLUMNS, instanceSchema } from './api/instance.js';
import { findWorkflow, workflowsPath } from './api/workflow.js';
import type { CommandContext, CommandOption } from './command.js';
import { EXIT } from './exit-code.js';
import { DRY_RUN } from './global-options.js';
import { counted } from './output/counted.js';
import { renderFields } from './output/fields.js';

const frozenSchema = z.looseObject({
  node: z.string(),
  frozen: z.boolean(),
  instances: z.number(),
  scheduleType: z.string(),
});

export const FREEZE_OPTIONS: Readonly<Record<string, CommandOption>> = {
  instances: { type: 'boolean', help: 'also what is planned already and has not started' },
  comment: { type: 'string', value: 'TEXT', help: 'why, for the audit' },
  'dry-run': DRY_RUN,
};

/** Freezes or unfreezes the node that the arguments name, and says what that reached. */
export async function freezeNode(
  ctx: CommandContext,
  verb: 'freeze' | 'unfreeze',
): Promise<number> {
  const [named = '', node = ''] = ctx.args;
  const workspace = await ctx.workspace();
  const api = await ctx.api();
  const { id, name } = await findWorkflow(api, workspace, named);
  const instances = ctx.flags.isSet('instances');
  if (ctx.settings.dryRun) {
    const reached = instances
      ? await showReached(ctx, { workspace, workflow: id, node, verb })
      : '';
    ctx.io.stderr(`Would ${verb} ${node} of ${name}${reached}. Nothing was changed (--dry-run).\n`);
    return EXIT.ok;
  }
  const comment = ctx.flags.text('comment');
  const path = `${workflowsPath(workspace)}/${id}/nodes/${encodeURIComponent(node)}/${verb}`;
  const { value } = await api.send('POST', path, frozenSchema, {
    body: { instances, ...(comment === undefined ? {} : { comment }) },
  });
  ctx.printer.one(value, value.node, () =>
    renderFields({
      node: value.node,
      frozen: value.frozen ? 'yes' : 'no',
      instances: value.instances,
    }),
  );
  if (!instances)
    ctx.io.stderr(`What is planned already stays as it is; --instances takes it along.\n`);
  else ctx.io.stderr(`${counted(value.instances, 'instance')} went along.\n`);
  if (!value.frozen && value.scheduleType === 'frozen')
    ctx.io.stderr(
      `Its workflow says scheduleType: frozen, so it stays so until that is changed.\n`,
    );
  return EXIT.ok;
}

const SHOWN = 100;

/** Prints the instances that would go along, and says how many there are. */
async function showReached(
  ctx: CommandContext,
  {
    workspace,
    workflow,
    node,
    verb,
  }: {
    readonly workspace: string;
    readonly workflow: string;
    readonly node: string;
    readonly verb: 'freeze' | 'unfreeze';
  },
): Promise<string> {
  const path = `/workspaces/${encodeURIComponent(workspace)}/instances`;
  const { items, more } = await (
    await ctx.api()
  ).list(path, instanceSchema, SHOWN, {
    workflow,
    node,
    status: WAITING_STATUSES.join(),
    frozen: String(verb === 'unfreeze'),
  });
  ctx.printer.list(items, INSTANCE_COLUMNS, (instance) => instance.id);
  return `, with ${more ? `more than ${SHOWN} instances` : counted(items.length, 'instance')} that ${items.length === 1 && !more ? 'waits' : 'wait'}`;
}
