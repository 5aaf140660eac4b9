import { z } from 'zod';

import { WAITING_STATUSES } from '../domain/instance/status.js';
import { problemError, problemSchema } from './api/api-problem.js';
import { INSTANCE_COLUMNS, instanceSchema } from './api/instance.js';
import { findWorkflow, workflowsPath } from './api/workflow.js';
import { CliError } from './cli-error.js';
import type { CommandContext, CommandOption } from './command.js';
import { EXIT, exitCodeOfStatus, worstOf } from './exit-code.js';
import { DRY_RUN } from './global-options.js';
import { counted } from './output/counted.js';
import { renderFields } from './output/fields.js';
import type { TableColumn } from './output/table.js';

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

/** Freezes or unfreezes the nodes that the arguments name, and says what that reached. */
export async function freezeNodes(
  ctx: CommandContext,
  verb: 'freeze' | 'unfreeze',
): Promise<number> {
  const [named = '', node = '', ...more] = ctx.args;
  const workspace = await ctx.workspace();
  const api = await ctx.api();
  const { id, name } = await findWorkflow(api, workspace, named);
  const instances = ctx.flags.isSet('instances');
  if (more.length > 0) {
    const nodes = [...new Set([node, ...more])];
    return await freezeMany(ctx, { path: `${workflowsPath(workspace)}/${id}/nodes`, nodes, verb });
  }
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

const itemSchema = z.union([
  frozenSchema,
  z.looseObject({ node: z.string(), problem: problemSchema.extend({ status: z.number() }) }),
]);
type Item = z.infer<typeof itemSchema>;

function isDone(item: Item): item is z.infer<typeof frozenSchema> {
  return !('problem' in item);
}

const ITEM_COLUMNS: readonly TableColumn<z.infer<typeof frozenSchema>>[] = [
  { title: 'node', of: (n) => n.node },
  { title: 'frozen', of: (n) => (n.frozen ? 'yes' : 'no') },
  { title: 'instances', of: (n) => String(n.instances) },
];

async function freezeMany(
  ctx: CommandContext,
  of: {
    readonly path: string;
    readonly nodes: readonly string[];
    readonly verb: 'freeze' | 'unfreeze';
  },
): Promise<number> {
  const { dryRun } = ctx.settings;
  const comment = dryRun ? undefined : ctx.flags.text('comment');
  const body = {
    nodes: of.nodes,
    frozen: of.verb === 'freeze',
    instances: ctx.flags.isSet('instances'),
    ...(comment === undefined ? {} : { comment }),
  };
  const api = await ctx.api();
  const answerSchema = z.looseObject({ items: z.array(itemSchema) });
  const path = `${of.path}/${dryRun ? 'preview' : 'batch'}`;
  const { value } = await api.send('POST', path, answerSchema, { body });
  const done = value.items.filter(isDone);
  ctx.printer.list(done, ITEM_COLUMNS, (item) => item.node);
  if (dryRun)
    ctx.io.stderr(
      `Would ${of.verb} ${counted(done.length, 'node')}. Nothing was changed (--dry-run).\n`,
    );
  const refused = value.items.flatMap((item) => (isDone(item) ? [] : [item]));
  const [first] = refused;
  if (first === undefined) return EXIT.ok;
  throw new CliError(
    `${of.verb}: ${refused.length} of ${counted(of.nodes.length, 'node')} refused`,
    {
      exitCode: worstOf(
        refused.map(({ problem }) => exitCodeOfStatus(problem.status, problem.code)),
      ),
      fix: problemError(first.problem, first.problem.status).fix,
      errors: refused.map(({ node, problem }) => ({
        pointer: node,
        detail: problemError(problem, problem.status).message,
      })),
    },
  );
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
