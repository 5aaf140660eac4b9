import { parametersPath, parametersSchema } from '../api/parameter.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const parametersSet: Command = {
  path: ['parameters', 'set'],
  summary: 'Set a parameter of the workspace, for instances that are not planned yet',
  args: ['NAME', 'EXPRESSION'],
  options: { 'dry-run': DRY_RUN },
  examples: ["millrace parameters set month '${yyyymm-1}'"],
  async run({ args, io, settings, printer, api, workspace }) {
    const [name = '', expression = ''] = args;
    if (settings.dryRun) {
      io.stderr(`Would set ${name} to ${expression}. Nothing was changed.\n`);
      return EXIT.ok;
    }
    const { value } = await (
      await api()
    ).send('PATCH', parametersPath(await workspace()), parametersSchema, {
      body: { [name]: expression },
    });
    printer.one(value, name, () => `${name}=${value[name] ?? ''}\n`);
    return EXIT.ok;
  },
};
