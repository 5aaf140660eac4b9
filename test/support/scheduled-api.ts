import type { SchedulerCommands } from '../../src/api/commands.js';
import { ScheduleCommands } from '../../src/scheduler/scheduler-commands.js';
import { openApi, type TestApi } from './api.js';
import type { FakeClock } from './line.js';

/** The api with the commands of a real scheduler, whose clock the test moves. */
export async function openScheduledApi(clock: FakeClock): Promise<TestApi> {
  let commands: ScheduleCommands | undefined;
  const scheduler = (): ScheduleCommands => {
    if (commands === undefined) throw new Error('the scheduler is not there yet');
    return commands;
  };
  const api = await openApi({
    plugins: ['@millrace/plugin-shell'],
    commands: (): Partial<SchedulerCommands> => ({
      submitWorkflow: (options) => scheduler().submitWorkflow(options),
      previewSubmit: (options) => scheduler().previewSubmit(options),
      runWorkflow: (options) => scheduler().runWorkflow(options),
      planBackfill: (options) => scheduler().planBackfill(options),
      createBackfill: (options) => scheduler().createBackfill(options),
      previewSchedule: (options) => scheduler().previewSchedule(options),
      previewParameters: (options) => scheduler().previewParameters(options),
      previewEdges: (options) => scheduler().previewEdges(options),
      previewPatch: (workflowId) => scheduler().previewPatch(workflowId),
      patchPlan: (options) => scheduler().patchPlan(options),
    }),
  });
  commands = new ScheduleCommands(api.database, clock, api.wakeBus, api.plugins);
  return api;
}
