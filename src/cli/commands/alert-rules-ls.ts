import { type AlertRule, alertRuleSchema, alertRulesPath } from '../api/alert.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const alertRulesLs: Command = {
  path: ['alert-rules', 'ls'],
  summary: 'List alert rules and whether their last message arrived',
  args: [],
  options: {},
  async run({ printer, api, workspace }) {
    const path = alertRulesPath(await workspace());
    const { items } = await (await api()).list(path, alertRuleSchema, 10_000);
    printer.list(
      items,
      [
        { title: 'id', of: (r) => r.id },
        { title: 'name', of: (r) => r.name },
        { title: 'on', of: (r) => (r.enabled ? 'yes' : 'no') },
        { title: 'condition', of: (r) => r.condition.kind },
        { title: 'target', of: (r) => r.target.kind },
        { title: 'open', of: (r) => r.openAlerts, align: 'right' },
        { title: 'tells', of: receiversOf },
        { title: 'last message', of: lastMessageOf },
      ],
      (r) => r.name,
    );
    return EXIT.ok;
  },
};

function receiversOf({ webhook, emails }: AlertRule): string {
  return [...(webhook ? [webhook.origin] : []), ...emails].join(', ');
}

/** Of the channel that does not get through, where there is one. */
function lastMessageOf({ lastDelivery }: AlertRule): string {
  if (!lastDelivery) return '';
  const { channel, errorDetail, status } = lastDelivery;
  return `${channel}: ${errorDetail ?? status}`;
}
