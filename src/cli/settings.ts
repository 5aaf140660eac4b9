import { resolve } from 'node:path';

import { clientSettings, OUTPUT_FORMATS } from '../config/client-settings.js';
import { processSettings } from '../config/process-settings.js';
import type { Secret } from '../config/secret.js';
import type { Setting } from '../config/setting.js';
import { merged, readSources, type Given, type Layer } from '../config/sources.js';
import { chooseServer, type ServerChoice } from './choose-server.js';
import { CliError } from './cli-error.js';
import { readContexts } from './contexts.js';
import { EXIT } from './exit-code.js';
import type { Flags } from './flags.js';
import type { CliIo } from './io.js';

export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export interface Settings {
  readonly chosen: ServerChoice;
  readonly workspace: string | undefined;
  readonly output: OutputFormat;
  readonly color: boolean;
  readonly debug: boolean;
  readonly yes: boolean;
  /** Shows what would be done, and does nothing. */
  readonly dryRun: boolean;
  /** Absolute folder of the embedded database and of `server.json`. */
  readonly dataDir: string;
}

/** What one source says about the server and how to talk to it. */
export interface ClientLayer {
  readonly origin: Layer['origin'] | 'current context';
  readonly server?: string;
  readonly context?: string;
  readonly token?: Secret;
  readonly tokenFile?: string;
  readonly workspace?: string;
  readonly output?: OutputFormat;
}

/** Flags win over `MILLRACE_…`, that over ./millrace.yaml, that over ~/.millrace/config.yaml. */
export async function readSettings(flags: Flags, io: CliIo): Promise<Settings> {
  const problems: string[] = [];
  const layers = readLayers(flags, io, problems);
  const clients = layers.map((layer) => clientLayer(layer, problems));
  const dataDir = merged(layers).get(processSettings.dataDir.env)?.value;
  if (problems.length > 0) {
    const [first = '', ...more] = problems;
    throw new CliError(first, {
      exitCode: EXIT.usage,
      fix: 'Correct it; docs/config.md lists every setting.',
      errors: more.map((detail) => ({ pointer: 'also', detail })),
    });
  }
  const { current, contexts } = await readContexts(io.home);
  const asked: ClientLayer[] = clients;
  if (current !== undefined) asked.push({ origin: 'current context', context: current });
  const chosen = chooseServer(asked, contexts, io);
  return {
    chosen,
    workspace: chosen.workspace,
    output: clients.find(({ output }) => output !== undefined)?.output ?? 'table',
    color: io.stdoutIsTty && (io.env['NO_COLOR'] ?? '') === '' && !flags.isSet('no-color'),
    debug: flags.isSet('debug'),
    yes: flags.isSet('yes'),
    dryRun: flags.isSet('dry-run'),
    dataDir: resolve(io.cwd, typeof dataDir === 'string' ? dataDir : '.millrace'),
  };
}

/** The sources of this call, the first wins. */
export function readLayers(flags: Flags, io: CliIo, problems: string[]): Layer[] {
  const given = new Map<string, Given>();
  for (const [option, { env }] of Object.entries(FLAG_SETTINGS)) {
    const value = flags.text(option);
    if (value !== undefined) given.set(env, { value, from: `--${option}` });
  }
  const places = { cwd: io.cwd, home: io.home };
  return [{ origin: 'command line', given }, ...readSources(io.env, places, problems)];
}

const FLAG_SETTINGS: Readonly<Record<string, Setting>> = {
  server: clientSettings.server,
  context: clientSettings.context,
  'token-file': clientSettings.tokenFile,
  workspace: clientSettings.workspace,
  output: clientSettings.output,
};

function clientLayer({ origin, given }: Layer, problems: string[]): ClientLayer {
  const values: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(clientSettings)) {
    const found = given.get(one.env);
    if (found === undefined) continue;
    const parsed = one.type.safeParse(found.value);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(`${found.from}: ${parsed.error.issues.map((i) => i.message).join('; ')}`);
  }
  if (values['server'] !== undefined && values['context'] !== undefined)
    problems.push(`${given.get(clientSettings.context.env)?.from} and a server exclude each other`);
  if (values['token'] !== undefined && values['tokenFile'] !== undefined)
    problems.push(
      `${given.get(clientSettings.tokenFile.env)?.from} and a token exclude each other`,
    );
  // Every value has been parsed by the type of its setting above.
  return { ...values, origin };
}
