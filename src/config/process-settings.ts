import { z } from 'zod';

import { setting, list } from './setting.js';

export const ROLES = ['all', 'api', 'scheduler', 'worker'] as const;

export type Role = (typeof ROLES)[number];

export const processSettings = {
  role: setting(
    'MILLRACE_ROLE',
    z.enum(ROLES).default('all'),
    'What `npm start` starts: `all`, or one process with this role alone, as many as you need on as many machines.',
    'all',
  ),
  dataDir: setting(
    'MILLRACE_DATA_DIR',
    z.string().min(1).default('./.millrace'),
    'Folder of the embedded database, logs and run state.',
    './.millrace',
  ),
  runLogDir: setting(
    'MILLRACE_RUN_LOG_DIR',
    z.string().min(1).optional(),
    'Folder for run logs of ended attempts, seen by every api and scheduler. Without it they stay in the database. `npm start` keeps them in the data folder.',
  ),
  logLevel: setting(
    'MILLRACE_LOG_LEVEL',
    z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    'Least severity that is logged: `debug`, `info`, `warn`, `error` or `silent`.',
    'info',
  ),
  sampleTarget: setting(
    'MILLRACE_SAMPLE_TARGET',
    z.enum(['auto', 'postgres']).default('auto'),
    'Where the sample of `npm start` exports to, chosen at the first start: `auto` is a private MariaDB or MySQL where this machine has one, `postgres` a second database of the embedded PostgreSQL.',
    'auto',
  ),
  plugins: setting(
    'MILLRACE_PLUGINS',
    list(),
    'Plugins besides the built-in ones: npm package names or folders, separated by commas.',
  ),
};
