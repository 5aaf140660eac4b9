import { expect, test } from '@jest/globals';

import { ScheduleCommands } from '../../../src/scheduler/scheduler-commands.js';
import { openApi } from '../../support/api.js';
import { FakeClock } from '../../support/line.js';

const WORKFLOWS = '/api/v1/workspaces/finance/workflows';

test('a workflow is called scheduled only once it has a version to plan', async () => {
  let commands: ScheduleCommands | undefined;
  await using api = await openApi({
    plugins: ['@millrace/plugin-shell'],
    commands: () => ({
      submitWorkflow: async (options) => {
        if (commands === undefined) throw new Error('the scheduler is not there yet');
        return await commands.submitWorkflow(options);
      },
    }),
  });
  const clock = new FakeClock('2026-11-21T04:00:00Z');
  commands = new ScheduleCommands(api.database, clock, api.wakeBus, api.plugins);
  const broken = { nodes: [{ id: 'a', type: 'no-such-type' }] };
  const created = await api.send('POST', WORKFLOWS, { body: { name: 'w', draft: broken } });
  expect(created.json).toMatchObject({ scheduled: false, latestVersion: null });
  const path = `${WORKFLOWS}/${String(created.json['id'])}`;
  expect((await api.send('POST', `${path}/submit`, { body: {} })).status).toBe(422);
  expect((await api.send('GET', path)).json).toMatchObject({ scheduled: false });
  const draft = { nodes: [{ id: 'a', type: 'shell', config: { command: 'true' } }] };
  await api.send('PATCH', path, { body: { draft }, headers: { 'if-match': '"1"' } });
  expect((await api.send('POST', `${path}/submit`, { body: {} })).status).toBe(201);
  const list = await api.send('GET', WORKFLOWS);
  expect(list.json).toMatchObject({ items: [{ scheduled: true, latestVersion: 1 }] });
});
