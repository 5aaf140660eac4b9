import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineNode, PluginError } from '@millrace/sdk';
import type { NodeContext, NodeResult } from '@millrace/sdk';
import { z } from 'zod';
import { LastLine } from './last-line.js';
import { runCommand } from './run-command.js';

const config = z.strictObject({
  command: z.string().min(1).meta({
    title: 'Script',
    description:
      'Run by bash. Not a template: parameters arrive as $1, $2 … and as PARAM_<name>, never as pasted text.',
    format: 'code',
    language: 'shell',
  }),
  args: z
    .array(z.string().meta({ template: true }))
    .optional()
    .meta({
      title: 'Arguments',
      description:
        '$1, $2 … of the script. Without it: every parameter, in the order of their names.',
    }),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().meta({ template: true }))
    .optional()
    .meta({ title: 'Environment variables' }),
});
type ShellConfig = z.output<typeof config>;

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The whole environment of the script. Nothing of the worker's own but PATH and LANG: what the worker
 * was started with may hold what a node must not see. Parameters carry a prefix, so that one named
 * `PATH` or `LD_PRELOAD` changes nothing.
 */
export function environmentOf(
  config: ShellConfig,
  ctx: Pick<NodeContext, 'identity' | 'parameters' | 'workDir'>,
  outputFile: string,
): Record<string, string> {
  const { identity } = ctx;
  const parameters = Object.entries(ctx.parameters).map(
    ([name, value]) => [`PARAM_${name.replace(/[^A-Za-z0-9_]/g, '_')}`, value] as const,
  );
  return {
    ...config.env,
    ...Object.fromEntries(parameters),
    PATH: process.env['PATH'] ?? DEFAULT_PATH,
    LANG: process.env['LANG'] ?? 'C.UTF-8',
    HOME: ctx.workDir,
    TMPDIR: ctx.workDir,
    MILLRACE_INSTANCE: identity.instanceId,
    MILLRACE_ATTEMPT: String(identity.attempt),
    MILLRACE_RUN: String(identity.runNumber),
    MILLRACE_BIZDATE: identity.bizdate,
    MILLRACE_SCHEDULED_TIME: identity.scheduledTime,
    MILLRACE_OUTPUT: outputFile,
  };
}

/** `name=value` lines; others are named in the run log by their line number and left out. */
export function outputsOf(text: string, warn: (text: string) => void): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      warn(`Line ${index + 1} of $MILLRACE_OUTPUT is not name=value and was left out.`);
    } else {
      outputs[name] = value;
    }
  }
  return outputs;
}

/** The output that is the last line the script printed; other names it writes to `$MILLRACE_OUTPUT`. */
const LAST_LINE = 'last_line';

/** Names by code unit, the same everywhere: the store keeps no order of declaration. */
export function argumentsOf(
  { args }: Pick<ShellConfig, 'args'>,
  parameters: Readonly<Record<string, string>>,
): readonly string[] {
  const names = Object.keys(parameters).sort();
  return args ?? names.map((name) => parameters[name] ?? '');
}

async function run(config: ShellConfig, ctx: NodeContext): Promise<NodeResult> {
  const printed = ctx.outputs.includes(LAST_LINE) ? new LastLine() : undefined;
  const outputFile = join(ctx.workDir, '.millrace-output');
  const { exitCode, signal, lastErrorLine } = await runCommand({
    command: config.command,
    args: argumentsOf(config, ctx.parameters),
    env: environmentOf(config, ctx, outputFile),
    cwd: ctx.workDir,
    signal: ctx.signal,
    onOutput: (stream, bytes) => {
      if (stream === 'stdout') printed?.add(bytes);
      ctx.log.write(stream, bytes);
    },
  });
  ctx.signal.throwIfAborted();
  if (exitCode !== 0) {
    const how = signal === null ? `exit code ${exitCode ?? '?'}` : `ended by ${signal}`;
    throw new PluginError('MR-P106', lastErrorLine === '' ? how : `${how}: ${lastErrorLine}`);
  }
  const text = await readFile(outputFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const written = outputsOf(text, (line) => ctx.log.warn(line));
  const line = printed?.text() ?? '';
  return { outputs: line === '' ? written : { [LAST_LINE]: line, ...written } };
}

export const shellNode = defineNode<ShellConfig>({
  type: 'shell',
  title: 'Shell',
  description:
    'Runs a script with bash in a process group of its own. At least once: after a crash of its worker it runs again; MILLRACE_ATTEMPT tells the script which time this is. Background processes end with the script. Outputs: `name=value` lines in the file $MILLRACE_OUTPUT, and `last_line`, the last line of stdout that is not blank.',
  config,
  configVersion: 1,
  examples: [
    { command: 'echo "business date: $1"' },
    {
      command: 'wc -l < "$1" | sed "s/^/lines=/" > "$MILLRACE_OUTPUT"',
      args: ['/data/${bizdate}.csv'],
      env: { LC_ALL: 'C' },
    },
  ],
  effect: 'at-least-once',
  dataSourcesOf: () => [],
  run,
});
