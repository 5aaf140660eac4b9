import { parametersPath, parametersSchema } from '../api/parameter.js';
import { CliError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const parametersRm: Command = {
  path: ['parameters', 'rm'],
  summary: 'Remove a parameter of the workspace that no workflow uses',
  args: ['NAME'],
  options: { 'dry-run': DRY_RUN },
  async run(ctx) {
    const name = ctx.args[0] ?? '';
    const path = parametersPath(await ctx.workspace());
    const api = await ctx.api();
    if (!Object.hasOwn(await api.get(path, parametersSchema), name)) {
      throw new CliError(`The workspace has no parameter "${name}"`, {
        exitCode: EXIT.conflict,
        fix: 'See `millrace parameters ls`.',
      });
    }
    if (ctx.settings.dryRun) {
      ctx.io.stderr(`Would remove the parameter ${name}. Nothing was changed.\n`);
      return EXIT.ok;
    }
    await ctx.confirm(() => `Remove the parameter ${name} of the workspace?`);
    await api.send('PATCH', path, parametersSchema, { body: { [name]: null } });
    ctx.io.stderr(`Removed ${name}.\n`);
    return EXIT.ok;
  },
};
