import { alertRulesPath, alertTestSchema, findAlertRule } from '../api/alert.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderFields } from '../output/fields.js';

export const alertRulesTest: Command = {
  path: ['alert-rules', 'test'],
  summary: 'Send a test message over the channels of an alert rule',
  args: ['NAME'],
  completes: 'alertRule',
  options: {},
  async run({ args, printer, api, workspace }) {
    const client = await api();
    const ws = await workspace();
    const found = await findAlertRule(client, ws, args[0] ?? '');
    const path = `${alertRulesPath(ws)}/${found.id}/test`;
    const { value } = await client.send('POST', path, alertTestSchema);
    printer.one(value, found.name, () =>
      renderFields(
        Object.fromEntries(
          value.results.map(({ channel, status, answer, errorCode, errorDetail }) => [
            channel,
            `${status}: ${answer ?? `${errorCode ?? ''} ${errorDetail ?? ''}`.trim()}`,
          ]),
        ),
      ),
    );
    return value.results.every(({ status }) => status === 'delivered') ? EXIT.ok : EXIT.failed;
  },
};
