import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { parse, stringify } from 'yaml';
import { z } from 'zod';

import { nearestName } from '../config/spelling.js';
import { CliError, usageError } from './cli-error.js';
import { EXIT } from './exit-code.js';
import { writePrivately } from './private-file.js';

/** The name of no context: the server that `npm start` runs in this folder. */
export const LOCAL_CONTEXT = 'local';

const contextSchema = z.strictObject({
  server: z.url({ protocol: /^https?$/ }),
  workspace: z.string().optional(),
});
export type Context = z.infer<typeof contextSchema>;

const fileSchema = z.strictObject({
  current: z.string().optional(),
  contexts: z.record(z.string(), contextSchema).default({}),
});
export type Contexts = z.infer<typeof fileSchema>;

/** Servers under names, in `~/.millrace/contexts.yaml`. */
export async function readContexts(home: string): Promise<Contexts> {
  const path = fileOf(home);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return { contexts: {} };
  }
  try {
    return fileSchema.parse(parse(text) ?? {});
  } catch (cause) {
    const said = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new CliError(`${path}: ${said}`, {
      exitCode: EXIT.usage,
      fix: 'Correct the file, or remove it and make the contexts anew.',
      cause,
    });
  }
}

export async function writeContexts(home: string, contexts: Contexts): Promise<void> {
  await writePrivately(fileOf(home), stringify(contexts));
}

/** The token of a context is in a file of its own, so that the list can be shown to others. */
export function tokenFileOf(home: string, name: string): string {
  return join(home, '.millrace', 'tokens', name);
}

/** Adds or replaces a context with its token and makes it the current one. */
export async function saveContext(
  home: string,
  name: string,
  context: Context,
  token: string,
): Promise<void> {
  checkContextName(name);
  const { contexts } = await readContexts(home);
  await writePrivately(tokenFileOf(home, name), `${token}\n`);
  await writeContexts(home, { current: name, contexts: { ...contexts, [name]: context } });
}

export async function removeContext(home: string, name: string): Promise<void> {
  const { current, contexts } = await readContexts(home);
  contextOf(contexts, name);
  const { [name]: _removed, ...kept } = contexts;
  await writeContexts(home, {
    contexts: kept,
    ...(current === undefined || current === name ? {} : { current }),
  });
  await rm(tokenFileOf(home, name), { force: true });
}

/** @throws exit 5 with the nearest name, when there is no such context */
export function contextOf(contexts: Contexts['contexts'], name: string): Context {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found !== undefined) return found;
  const near = nearestName(name, [LOCAL_CONTEXT, ...Object.keys(contexts)]);
  throw new CliError(`There is no context "${name}"`, {
    exitCode: EXIT.conflict,
    fix: near === undefined ? 'See `millrace ctx ls`.' : `Did you mean ${near}?`,
  });
}

/** It becomes the name of a file. */
export function checkContextName(name: string): void {
  if (/^[\w][\w.-]{0,63}$/.test(name) && name !== LOCAL_CONTEXT) return;
  throw usageError(
    `"${name}" cannot be the name of a context`,
    `Use up to 64 letters, digits, dots and dashes; "${LOCAL_CONTEXT}" is the server of this folder.`,
  );
}

function fileOf(home: string): string {
  return join(home, '.millrace', 'contexts.yaml');
}
