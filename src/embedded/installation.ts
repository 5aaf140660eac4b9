import { join } from 'node:path';

import { rememberedPort } from './choose-port.js';
import { takeInstanceLock } from './instance-lock.js';
import { openKeyring, type Keyring } from './keyring.js';
import { prepareLocation, type Location } from './location.js';
import { EmbeddedPostgresServer, endOrphanPostgres } from './postgres-server.js';

/** Name of the metadata database in the embedded PostgreSQL. */
export const METADATA_DATABASE = 'millrace';
/** Databases of the sample: where its SQL runs, and its target where no MySQL server is to be had. */
export const WAREHOUSE_DATABASE = 'warehouse';
export const SAMPLE_DATABASE = 'sample';

/** Hears the name of a server that outlived its start (`kill -9`) and was stopped to be started anew. */
export type OnOrphan = (server: string) => void;

/** A data folder that this process alone works in, until disposed. */
export interface Installation extends Location, Disposable {
  readonly keyring: Keyring;
}

/** @throws MR-A202 not writable, MR-A203 keyring gone, MR-A205 another one runs here */
export function openInstallation(
  dataDir: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Installation {
  const location = prepareLocation(dataDir);
  const lock = takeInstanceLock(location.dataDir);
  try {
    return {
      ...location,
      keyring: openKeyring(location.dataDir, env),
      [Symbol.dispose]: () => lock[Symbol.dispose](),
    };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/**
 * Starts the PostgreSQL of the installation; its first start makes its databases. `port` is for starting
 * it again under clients that know the port: without it, another one is taken when the last is not free.
 */
export async function startMetadataServer(
  installation: Installation,
  port?: number,
  onOrphan: OnOrphan = () => undefined,
): Promise<EmbeddedPostgresServer> {
  const { dataDir, serverDir, logDir, keyring } = installation;
  const dataFolder = join(serverDir, 'postgres');
  // Before the port is chosen: an orphan holds the one that saved connections name.
  if (await endOrphanPostgres(dataFolder)) onOrphan('PostgreSQL');
  return await EmbeddedPostgresServer.start({
    dataFolder,
    port: port ?? (await rememberedPort(dataDir, 'postgres')),
    password: keyring.databasePassword.reveal(),
    logFile: join(logDir, 'postgres.log'),
    databases: [METADATA_DATABASE, WAREHOUSE_DATABASE, SAMPLE_DATABASE],
  });
}
