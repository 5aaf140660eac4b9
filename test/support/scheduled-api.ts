import type { SchedulerCommands } from '../../src/api/commands.js';
import { ScheduleCommands } from '../../src/scheduler/scheduler-commands.js';
import { NO_COMMANDS, openApi, type TestApi } from './api.js';
import type { FakeClock } from './line.js';

const NAMES = Object.keys(NO_COMMANDS) as (keyof SchedulerCommands)[];

function callOf(scheduler: () => ScheduleCommands, name: keyof SchedulerCommands) {
  return (...args: never[]): unknown => Reflect.apply(scheduler()[name], scheduler(), args);
}

/** The api with the commands of a real scheduler, whose clock the test moves. */
export async function openScheduledApi(clock: FakeClock): Promise<TestApi> {
  let commands: ScheduleCommands | undefined;
  const scheduler = (): ScheduleCommands => {
    if (commands === undefined) throw new Error('the scheduler is not there yet');
    return commands;
  };
  const api = await openApi({
    plugins: ['@millrace/plugin-shell'],
    commands: () => Object.fromEntries(NAMES.map((name) => [name, callOf(scheduler, name)])),
  });
  commands = new ScheduleCommands(api.database, clock, api.wakeBus, api.plugins);
  return api;
}
