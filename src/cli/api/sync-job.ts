import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { z } from 'zod';

import { usageError } from '../cli-error.js';
import type { CommandContext } from '../command.js';

const proposedSchema = z.looseObject({
  name: z.string(),
  type: z.string(),
  url: z.string().optional(),
  user: z.string().optional(),
  root: z.string().optional(),
  isKnown: z.boolean(),
});
type Proposed = z.infer<typeof proposedSchema>;

const importedJobSchema = z.looseObject({
  dialect: z.string(),
  config: z.record(z.string(), z.unknown()),
  dataSources: z.looseObject({ source: proposedSchema, target: proposedSchema }),
  notes: z.array(
    z.looseObject({
      level: z.string(),
      path: z.string(),
      line: z.number(),
      column: z.number(),
      detail: z.string(),
    }),
  ),
  errors: z.array(z.looseObject({ pointer: z.string(), detail: z.string() })),
});
export type ImportedJob = z.infer<typeof importedJobSchema>;

export const MAP_OPTION = {
  type: 'string',
  multiple: true,
  value: 'NAME=HERE',
  help: 'what a data source of the file is called here; repeatable',
} as const;

/** What the tools such files are from know without a declaration; `given` are values of the caller. */
const SYSTEM_PARAMETERS = ['bizdate', 'cyctime', 'gmtdate', 'bizmonth'];

/** The parameters that a workflow of this node has to declare. */
export function parametersOf(
  config: Readonly<Record<string, unknown>>,
  given: readonly string[],
): Readonly<Record<string, string>> {
  const used = new Set(
    [...JSON.stringify(config).matchAll(/\$\{([A-Za-z_]\w*)\}/g)].map(([, name]) => name ?? ''),
  );
  const system = SYSTEM_PARAMETERS.filter((name) => used.has(name));
  return Object.fromEntries([
    ...given.map((name) => [name, '']),
    ...system.map((name) => [name, `$${name}`]),
  ]);
}

export function syncPath(workspace: string): string {
  return `/workspaces/${encodeURIComponent(workspace)}/sync`;
}

/** Has the server read a job file, and says on stderr what does not come along. */
export async function importJobFile(ctx: CommandContext, file: string): Promise<ImportedJob> {
  const path = resolve(ctx.io.cwd, file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw usageError(`${path} cannot be read`, 'Check the path.');
  }
  const api = await ctx.api();
  const url = `${syncPath(await ctx.workspace())}/import`;
  const body = { text, names: ctx.flags.pairs('map') };
  const { value: job } = await api.send('POST', url, importedJobSchema, { body });
  for (const { level, path: at, line, column, detail } of job.notes) {
    ctx.io.stderr(`${level}: ${at} (line ${line}, column ${column}): ${detail}\n`);
  }
  for (const end of missingSources(job)) ctx.io.stderr(`${hintOf(end)}\n`);
  for (const { pointer, detail } of job.errors) ctx.io.stderr(`wrong: ${pointer}: ${detail}\n`);
  return job;
}

/** The data sources of the file that are not there, each once. */
export function missingSources({ dataSources }: ImportedJob): readonly Proposed[] {
  const { source, target } = dataSources;
  const ends = source.name === target.name ? [source] : [source, target];
  return ends.filter(({ isKnown }) => !isKnown);
}

function hintOf({ name, type, url, user, root }: Proposed): string {
  const words = [
    `millrace ds add ${name} --type ${type}`,
    ...(url === undefined ? [] : [`--url '${url.split('?')[0] ?? ''}'`]),
    ...(user === undefined ? [] : [`--user ${user} --password-stdin`]),
    ...(root === undefined ? [] : [`--set root=${root}`]),
  ];
  return `there is no data source ${name}: name another with --map ${name}=HERE, or ${words.join(' ')}`;
}
