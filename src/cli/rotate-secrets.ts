import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { MillraceError } from '../domain/errors.js';
import { loadConfig } from '../config/load-config.js';
import {
  METADATA_DATABASE,
  openInstallation,
  startMetadataServer,
} from '../embedded/installation.js';
import { addSecretKey, dropOldSecretKeys, type Keyring } from '../embedded/keyring.js';
import { Database } from '../store/database.js';
import { secretBoxOf, secretKeyId } from '../store/secret-box-of.js';

export interface Rotation {
  /** Of the key that now wraps every record. */
  readonly keyId: string;
  readonly records: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Wraps every record under the newest key. An embedded installation makes that key and forgets the old
 * ones; for a database of the user's own both keys come from MILLRACE_SECRET_KEY, newest first.
 */
export async function rotateSecrets(dataDir: string, env: Environment): Promise<Rotation> {
  const { database } = loadConfig('command', env);
  if (database.url === undefined) return await rotateInstallation(dataDir, env);
  const keys = database.secretKey?.reveal().split(',') ?? [];
  if (keys.length < 2) {
    throw new MillraceError(
      'MR-A203',
      'put the new key before the old one, MILLRACE_SECRET_KEY=new,old, restart every process with it and rotate again; then drop the old one',
    );
  }
  return await rotateAt(database.url.reveal(), keys);
}

/**
 * Makes a new key, wraps every record under it and forgets the old ones, in this order: a rotation that is
 * interrupted leaves a keyring that opens all records, and the next one goes on.
 *
 * Works on a stopped installation alone, and starts its database for itself. A running api would have the
 * old keyring in memory: it could not open what was wrapped anew, and would seal under a key that is gone.
 * @throws MR-A205 while Millrace runs, MR-A203 when the keyring is not this database's
 */
async function rotateInstallation(dataDir: string, env: Environment): Promise<Rotation> {
  // Looked for first: opening a folder that has no installation would make one.
  if (!existsSync(join(dataDir, 'installation'))) {
    throw new MillraceError('MR-A104', `${dataDir} has no installation`);
  }
  using installation = openInstallation(dataDir, env);
  await using server = await startMetadataServer(installation);
  const url = server.url(METADATA_DATABASE);
  // Proved before a key is added: a keyring that is not this database's must not grow.
  await proveAt(url, textsOf(installation.keyring));
  const grown = addSecretKey(installation.keyring);
  const rotation = await rotateAt(url, textsOf(grown));
  dropOldSecretKeys(grown);
  return rotation;
}

async function rotateAt(url: string, keys: readonly string[]): Promise<Rotation> {
  await using database = await openAt(url);
  const records = await secretBoxOf(keys).rotate(database);
  return { keyId: secretKeyId(keys[0] ?? ''), records };
}

async function proveAt(url: string, keys: readonly string[]): Promise<void> {
  await using database = await openAt(url);
  await secretBoxOf(keys).verifyKeys(database);
}

async function openAt(url: string): Promise<Database> {
  return await Database.open({ url, applicationName: 'millrace secret rotate', poolSize: 2 });
}

function textsOf(keyring: Keyring): string[] {
  return keyring.secretKeys.map(({ key }) => key.reveal());
}
