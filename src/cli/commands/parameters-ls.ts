import { parametersPath, parametersSchema } from '../api/parameter.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const parametersLs: Command = {
  path: ['parameters', 'ls'],
  summary: 'List the parameters of the workspace',
  args: [],
  options: {},
  async run({ printer, api, workspace }) {
    const parameters = await (await api()).get(parametersPath(await workspace()), parametersSchema);
    printer.list(
      Object.entries(parameters).map(([name, expression]) => ({ name, expression })),
      [
        { title: 'name', of: (p) => p.name },
        { title: 'expression', of: (p) => p.expression },
      ],
      (p) => p.name,
    );
    return EXIT.ok;
  },
};
