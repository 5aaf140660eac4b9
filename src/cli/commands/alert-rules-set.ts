import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { parse } from 'yaml';
import { z } from 'zod';

import { alertRuleSchema, alertRulesPath, lookUpAlertRule } from '../api/alert.js';
import { CliError, usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

/** The server checks the rest. */
const fileSchema = z.looseObject({ name: z.string().min(1) });

export const alertRulesSet: Command = {
  path: ['alert-rules', 'set'],
  summary: 'Make the alert rule of a file, or change the one of that name to what the file says',
  args: ['FILE'],
  options: { 'dry-run': DRY_RUN },
  examples: ['millrace alert-rules set nightly.yaml'],
  async run({ args, io, settings, printer, api, workspace }) {
    const rule = await readRule(resolve(io.cwd, args[0] ?? ''));
    const client = await api();
    const ws = await workspace();
    const path = alertRulesPath(ws);
    const known = await lookUpAlertRule(client, ws, rule.name);
    if (settings.dryRun) {
      const what = known === undefined ? 'make' : 'change';
      io.stderr(`Would ${what} the alert rule ${rule.name}. Nothing was changed.\n`);
      return EXIT.ok;
    }
    const rulePath = `${path}/${known?.id ?? ''}`;
    const etag =
      known === undefined ? undefined : (await client.send('GET', rulePath, alertRuleSchema)).etag;
    const { value } =
      known === undefined
        ? await client.send('POST', path, alertRuleSchema, { body: rule })
        : await client.send('PATCH', rulePath, alertRuleSchema, {
            body: rule,
            ...(etag === undefined ? {} : { ifMatch: etag }),
          });
    printer.one(value, value.name, () => `Saved ${value.name} (${value.id}).\n`);
    return EXIT.ok;
  },
};

async function readRule(path: string): Promise<z.infer<typeof fileSchema>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw usageError(`${path} cannot be read`, 'Check the path.');
  }
  let content: unknown;
  try {
    content = parse(text);
  } catch {
    // Without the parser's words: they quote the file, which may hold the secret of a webhook.
    throw notARule(`${path} is not YAML`);
  }
  const parsed = fileSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw notARule(`${path} is not an alert rule`);
}

function notARule(message: string): CliError {
  return new CliError(message, {
    exitCode: EXIT.validation,
    fix: 'An alert rule is YAML or JSON with name, condition, target and webhook or emails; see docs/alerts.md.',
  });
}
