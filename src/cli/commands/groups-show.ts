import { findGroup } from '../api/resource-group.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderYaml } from '../output/yaml.js';

export const groupsShow: Command = {
  path: ['groups', 'show'],
  summary: 'Show a resource group with its quotas and workers',
  args: ['NAME'],
  options: {},
  async run({ args, printer, api }) {
    const group = await findGroup(await api(), args[0] ?? '');
    printer.one(group, group.name, () => renderYaml(group));
    return EXIT.ok;
  },
};
