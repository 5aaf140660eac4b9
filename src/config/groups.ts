import { alertSettings } from './alert-settings.js';
import { apiSettings } from './api-settings.js';
import { clientSettings } from './client-settings.js';
import { databaseSettings } from './database-settings.js';
import { leaseSettings } from './lease-settings.js';
import { processSettings } from './process-settings.js';
import { retentionSettings } from './retention-settings.js';
import { schedulerSettings } from './scheduler-settings.js';
import type { Setting, ValuesOf } from './setting.js';
import { workerSettings } from './worker-settings.js';

/** Every group; its name is the section of `millrace.yaml` and of `docs/config.md`. */
export const GROUPS = {
  process: processSettings,
  database: databaseSettings,
  api: apiSettings,
  scheduler: schedulerSettings,
  retention: retentionSettings,
  worker: workerSettings,
  lease: leaseSettings,
  alerts: alertSettings,
  client: clientSettings,
} as const;

export type GroupName = keyof typeof GROUPS;

export type ConfigValues = { readonly [G in GroupName]: ValuesOf<(typeof GROUPS)[G]> };

/** Every setting with its group and its name there. */
export const SETTINGS: readonly (readonly [GroupName, string, Setting])[] = (
  Object.keys(GROUPS) as GroupName[]
).flatMap((group) =>
  Object.entries(GROUPS[group]).map(([name, one]) => [group, name, one as Setting] as const),
);

/** Names that belong to somebody else: attempts, the tests, the way a child is started. */
export const FOREIGN_NAMES: readonly RegExp[] = [
  /^MILLRACE_(CONFIG|STDIN_CONFIG)$/,
  /^MILLRACE_(ATTEMPT|INSTANCE|RUN|BIZDATE|SCHEDULED_TIME)$/,
  /^MILLRACE_(TEST|CRASH|BENCH)_/,
];
