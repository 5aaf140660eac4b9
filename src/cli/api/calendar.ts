import { z } from 'zod';

import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import type { ApiClient } from './api-client.js';

export const calendarSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  description: z.string().nullish(),
  workWeekdays: z.array(z.string()),
  holidays: z.array(z.string()),
  workDays: z.array(z.string()),
});
export type Calendar = z.infer<typeof calendarSchema>;

export function calendarsPath(workspace: string): string {
  return `/workspaces/${encodeURIComponent(workspace)}/calendars`;
}

const MANY = 10_000;

/** The business calendar of that name or id (`cal_3`), or `undefined`. */
export async function lookUpCalendar(
  api: ApiClient,
  workspace: string,
  nameOrId: string,
): Promise<Calendar | undefined> {
  const { items } = await api.list(calendarsPath(workspace), calendarSchema, MANY);
  return items.find((c) => c.name === nameOrId) ?? items.find((c) => c.id === nameOrId);
}

export async function findCalendar(
  api: ApiClient,
  workspace: string,
  nameOrId: string,
): Promise<Calendar> {
  const calendar = await lookUpCalendar(api, workspace, nameOrId);
  if (calendar !== undefined) return calendar;
  throw new CliError(`No business calendar "${nameOrId}" in the workspace ${workspace}`, {
    exitCode: EXIT.conflict,
    fix: 'See `millrace calendars ls`.',
  });
}
