import { PLAN_COLUMNS, planSchema, plansPath } from '../api/plan.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const plansLs: Command = {
  path: ['plans', 'ls'],
  summary: 'List daily plans, newest business date first',
  args: [],
  options: { limit: { type: 'string', value: 'N', help: 'at most this many (30)' } },
  async run({ flags, printer, io, api, workspace }) {
    const limit = flags.count('limit') ?? 30;
    const path = plansPath(await workspace());
    const { items, more } = await (await api()).list(path, planSchema, limit);
    printer.list(items, PLAN_COLUMNS, (plan) => `${plan.bizdate} ${plan.timezone}`);
    if (more) io.stderr(`There are more than ${limit}: use --limit.\n`);
    return EXIT.ok;
  },
};
