import { z } from 'zod';

import { gatesPath, listGates, targetOf } from '../api/gate.js';
import { CliError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const gatesRm: Command = {
  path: ['gates', 'rm'],
  summary: 'Take a gate away: what it held may go on',
  args: ['GATE'],
  options: { 'dry-run': DRY_RUN },
  examples: ['millrace gates rm gate_3'],
  async run(ctx) {
    const workspace = await ctx.workspace();
    const api = await ctx.api();
    const id = ctx.args[0] ?? '';
    const found = (await listGates(api, workspace)).find((gate) => gate.id === id);
    if (found === undefined)
      throw new CliError(`No gate "${id}" in the workspace ${workspace}`, {
        exitCode: EXIT.conflict,
        fix: 'See `millrace gates ls`.',
      });
    const text = `the gate of ${targetOf(found)} (${id})`;
    if (ctx.settings.dryRun) {
      ctx.io.stderr(`Would remove ${text}. Nothing was changed.\n`);
      return EXIT.ok;
    }
    await ctx.confirm(() => `Remove ${text}? ${found.waiting} instances wait before it.`);
    await api.send('DELETE', `${gatesPath(workspace)}/${id}`, z.unknown());
    ctx.io.stderr(`Removed ${text}.\n`);
    return EXIT.ok;
  },
};
