import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { z } from 'zod';

import { usageError } from './cli-error.js';
import type { Flags } from './flags.js';
import type { CliIo } from './io.js';

export const OUTPUT_FORMATS = ['table', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export interface Settings {
  /** Absent: the server that `npm start` runs in this folder. */
  readonly server: string | undefined;
  readonly tokenFile: string | undefined;
  readonly workspace: string | undefined;
  readonly output: OutputFormat;
  readonly color: boolean;
  readonly debug: boolean;
  readonly yes: boolean;
  /** Absolute folder of the embedded database and of `server.json`. */
  readonly dataDir: string;
}

const layerSchema = z.strictObject({
  server: z.url({ protocol: /^https?$/ }).optional(),
  tokenFile: z.string().optional(),
  workspace: z.string().optional(),
  output: z.enum(OUTPUT_FORMATS).optional(),
});
type Layer = z.infer<typeof layerSchema>;

/** Flags win over `MILLRACE_…`, that over ./millrace.json, that over ~/.millrace/config.json. */
export async function readSettings(flags: Flags, io: CliIo): Promise<Settings> {
  const project = await readLayerFile(join(io.cwd, 'millrace.json'));
  const personal = await readLayerFile(join(io.home, '.millrace', 'config.json'));
  const environment = checkLayer('the environment (MILLRACE_…)', {
    server: io.env['MILLRACE_SERVER'],
    tokenFile: io.env['MILLRACE_TOKEN_FILE'],
    workspace: io.env['MILLRACE_WORKSPACE'],
    output: io.env['MILLRACE_OUTPUT'],
  });
  const typed = checkLayer('the command line', {
    server: flags.text('server'),
    tokenFile: flags.text('token-file'),
    workspace: flags.text('workspace'),
    output: flags.text('output'),
  });
  const layers = [typed, environment, project, personal];
  const first = <K extends keyof Layer>(key: K): Layer[K] =>
    layers.find((layer) => layer[key] !== undefined)?.[key];
  const tokenFile = first('tokenFile');
  return {
    server: first('server'),
    tokenFile: tokenFile === undefined ? undefined : resolve(io.cwd, tokenFile),
    workspace: first('workspace'),
    output: first('output') ?? 'table',
    color: io.stdoutIsTty && (io.env['NO_COLOR'] ?? '') === '',
    debug: flags.isSet('debug'),
    yes: flags.isSet('yes'),
    dataDir: resolve(io.cwd, io.env['MILLRACE_DATA_DIR'] ?? '.millrace'),
  };
}

function checkLayer(source: string, values: unknown): Layer {
  const parsed = layerSchema.safeParse(values);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw usageError(
    `${source}: ${field === '' ? '' : `${field}: `}${issue?.message ?? 'not valid'}`,
    'Known settings: server, tokenFile, workspace, output (table, json, yaml, name).',
  );
}

async function readLayerFile(path: string): Promise<Layer> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return {};
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw usageError(
      `${path}: ${error instanceof Error ? error.message : 'not JSON'}`,
      'Correct the file.',
    );
  }
  return checkLayer(path, content);
}
