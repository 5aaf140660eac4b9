import { planDetailSchema, plansPath } from '../api/plan.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderFields } from '../output/fields.js';
import { renderTable } from '../output/table.js';

export const plansShow: Command = {
  path: ['plans', 'show'],
  summary: 'Show a daily plan, its checksum and the versions it was made of',
  args: ['BIZDATE'],
  options: {
    timezone: {
      type: 'string',
      value: 'ZONE',
      help: "of workflows in this zone (the workspace's)",
    },
  },
  examples: ['millrace plans show 2026-11-20 --timezone Europe/Berlin'],
  async run({ args, flags, printer, settings, api, workspace }) {
    const timezone = flags.text('timezone');
    const query = timezone === undefined ? '' : `?timezone=${encodeURIComponent(timezone)}`;
    const path = `${plansPath(await workspace())}/${encodeURIComponent(args[0] ?? '')}${query}`;
    const plan = await (await api()).get(path, planDetailSchema);
    printer.one(plan, `${plan.bizdate} ${plan.timezone}`, () => {
      const fields = renderFields({
        bizdate: plan.bizdate,
        timezone: plan.timezone,
        state: plan.revision === 0 ? 'being made' : plan.state,
        revision: plan.revision,
        instances: plan.instances,
        edges: plan.edges,
        usual: plan.usualInstances ?? undefined,
        jump: plan.sizeJump ?? undefined,
        checksum: plan.checksum ?? undefined,
        planned: plan.plannedAt,
        sealed: plan.sealedAt ?? undefined,
      });
      const workflows = renderTable(
        plan.workflows,
        [
          { title: 'workflow', of: (w) => w.name },
          { title: 'version', of: (w) => w.version, align: 'right' },
          { title: 'instances', of: (w) => w.instances, align: 'right' },
        ],
        settings.color,
      );
      return `${fields}\n${workflows}`;
    });
    return EXIT.ok;
  },
};
