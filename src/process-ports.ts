import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { secretBoxOf, secretKeyTexts } from './store/secret-box-of.js';
import type { Config } from './config/load-config.js';
import { MillraceError } from './domain/errors.js';
import { Database } from './store/database.js';
import { DatabaseClock } from './store/database-clock.js';
import { FolderLogStore, type LogStore } from './store/log-store.js';
import { pendingMigrations } from './store/run-migrations.js';
import type { SecretBox } from './store/secret-box.js';
import { WakeBus } from './store/wake-bus.js';

/** What the roles api and scheduler stand on; a worker elsewhere has none of it. */
export interface StorePorts extends AsyncDisposable {
  readonly database: Database;
  readonly wakeBus: WakeBus;
  readonly clock: DatabaseClock;
  readonly box: SecretBox;
  readonly installation: string;
  readonly logStore?: LogStore;
}

const CLOCK_REFRESH_MS = 30_000;

/** @throws MR-A207 no database, MR-A208 migrations are missing, MR-A203 another secret key */
export async function openStorePorts(config: Config, name: string): Promise<StorePorts> {
  const url = config.database.url?.reveal();
  const key = config.database.secretKey?.reveal();
  if (url === undefined || key === undefined) {
    throw new MillraceError(
      'MR-A206',
      'This role needs MILLRACE_DATABASE_URL and MILLRACE_SECRET_KEY.',
    );
  }
  const database = await Database.open({
    url,
    applicationName: `millrace ${name}`,
    poolSize: config.database.poolSize,
  });
  try {
    const missing = await pendingMigrations(database);
    if (missing.length > 0) {
      throw new MillraceError('MR-A208', `These migrations have not run: ${missing.join(', ')}.`);
    }
    const box = secretBoxOf(secretKeyTexts(key));
    await box.verifyKeys(database);
    const clock = await DatabaseClock.open(database, config.scheduler.clockOffsetMs);
    const wakeBus = await WakeBus.open(url);
    const installation = await installationOf(database);
    const { runLogDir } = config.process;
    const stopRefreshing = keepClock(clock, database);
    return {
      database,
      wakeBus,
      clock,
      box,
      installation,
      ...(runLogDir === undefined ? {} : { logStore: new FolderLogStore(resolve(runLogDir)) }),
      [Symbol.asyncDispose]: async () => {
        stopRefreshing();
        await wakeBus[Symbol.asyncDispose]();
        await database[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

async function installationOf(database: Database): Promise<string> {
  const [row] = await database.rows<{ id: string }>(
    `INSERT INTO installation (id) VALUES (gen_random_uuid())
     ON CONFLICT ((true)) DO UPDATE SET id = installation.id RETURNING id`,
  );
  if (row === undefined) throw new MillraceError('MR-A109', 'The installation has no id.');
  return row.id;
}

function keepClock(clock: DatabaseClock, database: Database): () => void {
  const end = new AbortController();
  void (async () => {
    while (!end.signal.aborted) {
      await sleep(CLOCK_REFRESH_MS, undefined, { signal: end.signal, ref: false }).catch(
        () => undefined,
      );
      // While the database does not answer, the machine's monotonic clock carries on.
      if (!end.signal.aborted) await clock.refresh(database).catch(() => undefined);
    }
  })();
  return () => end.abort();
}
