import { z } from 'zod';

import type { ApiClient } from '../api/api-client.js';
import { durationText, INSTANCE_COLUMNS, stateText, type Instance } from '../api/instance.js';
import { findWorkflow, workflowsPath } from '../api/workflow.js';
import { lastBizdate } from '../../domain/calendar/bizdate.js';
import { CliError } from '../cli-error.js';
import type { Command, CommandContext } from '../command.js';
import { EXIT } from '../exit-code.js';
import { followInstance } from '../run-log.js';
import { hasSucceeded, watchRun } from '../run-watch.js';

const startedSchema = z.looseObject({ id: z.string().optional() }).optional();
const workspaceSchema = z.looseObject({ name: z.string(), timezone: z.string() });

export const run: Command = {
  path: ['run'],
  summary: 'Run a workflow for one business date at once',
  args: ['WORKFLOW'],
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
  },
  examples: ['millrace run orders_daily --bizdate 2026-11-20 -p region=emea --wait'],
  async run(ctx) {
    const { flags, args, io } = ctx;
    const api = await ctx.api();
    const workspace = await ctx.workspace();
    const workflow = await findWorkflow(api, workspace, args[0] ?? '');
    const bizdate = flags.date('bizdate') ?? (await newestBizdate(api, workspace));
    const { value, location } = await api.send(
      'POST',
      `${workflowsPath(workspace)}/${workflow.id}/runs`,
      startedSchema,
      { body: { bizdate, parameters: flags.pairs('param') } },
    );
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

/** Yesterday where the workspace lives, whatever the zone of this machine. */
async function newestBizdate(api: ApiClient, workspace: string): Promise<string> {
  const { items } = await api.list('/workspaces', workspaceSchema, 1000);
  const zone = items.find((w) => w.name === workspace)?.timezone ?? 'UTC';
  return lastBizdate(new Date(), zone);
}

async function waitForEnd(ctx: CommandContext, api: ApiClient, runId: string): Promise<number> {
  const { io, flags } = ctx;
  const logs = new Map<string, Promise<void>>();
  const stop = new AbortController();
  const signal = AbortSignal.any([io.signal, stop.signal]);
  const follow = (instance: Instance): void => {
    if (logs.has(instance.id) || !hasStarted(instance)) return;
    const print = (text: string): void => io.stdout(`${instance.node.name} | ${text}`);
    // The states below decide how the run ended; a log that breaks off must not change that.
    const ended = followInstance(api, instance.id, print, signal).catch((error: unknown) => {
      if (!signal.aborted) io.stderr(`${instance.node.name}: ${String(error)}\n`);
    });
    logs.set(instance.id, ended);
  };
  try {
    const ended = await watchRun(api, runId, {
      timeoutSeconds: flags.count('timeout'),
      signal: io.signal,
      onChange(instance) {
        const took = durationText(instance);
        io.stderr(
          `${instance.node.name}: ${stateText(instance)}${took === '' ? '' : ` in ${took}`}\n`,
        );
        if (flags.isSet('follow')) follow(instance);
      },
    });
    await Promise.all(logs.values());
    ctx.printer.list(ended.instances, INSTANCE_COLUMNS, (instance) => instance.id);
    return hasSucceeded(ended) ? EXIT.ok : EXIT.failed;
  } finally {
    stop.abort();
  }
}

function hasStarted(instance: Instance): boolean {
  return !instance.status.startsWith('waiting') && instance.status !== 'gated' && !instance.dryRun;
}
