import { apiSettings } from './api-settings.js';
import { databaseSettings } from './database-settings.js';
import { leaseSettings } from './lease-settings.js';
import { processSettings } from './process-settings.js';
import { schedulerSettings } from './scheduler-settings.js';
import type { ValuesOf } from './setting.js';
import { workerSettings } from './worker-settings.js';

/** Every group; its name is the section of `millrace.config.json` and of `docs/config.md`. */
export const GROUPS = {
  process: processSettings,
  database: databaseSettings,
  api: apiSettings,
  scheduler: schedulerSettings,
  worker: workerSettings,
  lease: leaseSettings,
} as const;

export type GroupName = keyof typeof GROUPS;

export type ConfigValues = { readonly [G in GroupName]: ValuesOf<(typeof GROUPS)[G]> };

/** Names that belong to somebody else: the CLI, attempts, the tests, the way a child is started. */
export const FOREIGN_NAMES: readonly RegExp[] = [
  /^MILLRACE_(SERVER|TOKEN|TOKEN_FILE|WORKSPACE|OUTPUT|CONFIG|STDIN_CONFIG)$/,
  /^MILLRACE_(ATTEMPT|INSTANCE|RUN|BIZDATE|SCHEDULED_TIME)$/,
  /^MILLRACE_(TEST|CRASH|BENCH)_/,
];
