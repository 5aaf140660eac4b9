import { secretSetting, setting, wholeNumber } from './setting.js';

export const databaseSettings = {
  url: secretSetting(
    'MILLRACE_DATABASE_URL',
    'PostgreSQL >= 14 for the metadata, `postgres://user:password@host:port/database`. If it is not set, `npm start` runs one of its own.',
  ),
  poolSize: setting(
    'MILLRACE_DATABASE_POOL_SIZE',
    wholeNumber(2, 200, 10),
    'Most connections to the metadata database, per process.',
    '10',
  ),
  secretKey: secretSetting(
    'MILLRACE_SECRET_KEY',
    'Encrypts the credentials of data sources; at least 32 characters. Made by the first embedded start, needed otherwise. Keep a copy: without it the credentials are lost.',
    32,
  ),
};
