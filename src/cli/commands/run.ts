import { z } from 'zod';

import type { ApiClient } from '../api/api-client.js';
import { INSTANCE_COLUMNS, stateLine } from '../api/instance.js';
import { findWorkflow, workflowsPath } from '../api/workflow.js';
import { lastBizdate } from '../../domain/calendar/bizdate.js';
import { CliError } from '../cli-error.js';
import type { Command, CommandContext } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';
import { renderFields } from '../output/fields.js';
import { followRun } from '../follow-run.js';
import { hasSucceeded, watchRun } from '../run-watch.js';

const startedSchema = z.looseObject({ id: z.string().optional() }).optional();
const workspaceSchema = z.looseObject({ name: z.string(), timezone: z.string() });

export const run: Command = {
  path: ['run'],
  summary: 'Run a workflow for one business date at once',
  args: ['WORKFLOW'],
  completes: 'workflow',
  options: {
    bizdate: { type: 'string', value: 'DATE', help: 'business date (default: the last one)' },
    param: {
      type: 'string',
      short: 'p',
      multiple: true,
      value: 'K=V',
      help: 'a parameter; repeatable',
    },
    wait: { type: 'boolean', help: 'wait for the end; exit 1 unless all is green' },
    follow: { type: 'boolean', help: 'wait, and print the run logs meanwhile' },
    timeout: {
      type: 'string',
      value: 'SECONDS',
      help: 'with --wait: give up after this long (exit 6)',
    },
    'dry-run': DRY_RUN,
  },
  examples: ['millrace run orders_daily --bizdate 2026-11-20 -p region=emea --wait'],
  async run(ctx) {
    const { flags, args, io } = ctx;
    const api = await ctx.api();
    const workspace = await ctx.workspace();
    const workflow = await findWorkflow(api, workspace, args[0] ?? '');
    const bizdate = flags.date('bizdate') ?? (await newestBizdate(api, workspace));
    const body = { bizdate, parameters: flags.pairs('param') };
    flags.count('timeout');
    if (ctx.settings.dryRun) {
      ctx.printer.one({ workflow: workflow.name, ...body }, workflow.name, () =>
        whatItWouldRun(workflow.name, body),
      );
      io.stderr('Nothing was started (--dry-run).\n');
      return EXIT.ok;
    }
    const path = `${workflowsPath(workspace)}/${workflow.id}/runs`;
    const { value, location } = await api.send('POST', path, startedSchema, { body });
    const runId = location?.split('/').at(-1) ?? value?.id;
    if (runId === undefined) {
      throw new CliError('The server did not say which run it started', {
        exitCode: EXIT.failed,
        fix: 'See `millrace instances ls`.',
      });
    }
    io.stderr(`${workflow.name} for ${bizdate}: ${runId}\n`);
    if (flags.isSet('wait') || flags.isSet('follow')) return await waitForEnd(ctx, api, runId);
    ctx.printer.one({ id: runId, workflow: workflow.name, bizdate }, runId, () => `${runId}\n`);
    return EXIT.ok;
  },
};

function whatItWouldRun(
  workflow: string,
  { bizdate, parameters }: { bizdate: string; parameters: Readonly<Record<string, string>> },
): string {
  return renderFields({ workflow, bizdate, ...parameters });
}

/** Yesterday where the workspace lives, whatever the zone of this machine. */
async function newestBizdate(api: ApiClient, workspace: string): Promise<string> {
  const { items } = await api.list('/workspaces', workspaceSchema, 1000);
  const zone = items.find((w) => w.name === workspace)?.timezone ?? 'UTC';
  return lastBizdate(new Date(), zone);
}

async function waitForEnd(ctx: CommandContext, api: ApiClient, runId: string): Promise<number> {
  const { io, flags } = ctx;
  const options = { timeoutSeconds: flags.count('timeout'), signal: io.signal };
  const ended = flags.isSet('follow')
    ? await followRun(api, runId, io, options)
    : await watchRun(api, runId, {
        ...options,
        onChange: (instance) => io.stderr(stateLine(instance)),
      });
  ctx.printer.list(ended.instances, INSTANCE_COLUMNS, (instance) => instance.id);
  return hasSucceeded(ended) ? EXIT.ok : EXIT.failed;
}
