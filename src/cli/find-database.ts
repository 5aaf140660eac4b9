import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { loadConfig } from '../config/load-config.js';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import { METADATA_DATABASE } from '../embedded/installation.js';
import { openKeyring, type Keyring } from '../embedded/keyring.js';
import { Database } from '../store/database.js';
import { CliError } from './cli-error.js';
import { EXIT } from './exit-code.js';

export interface FoundDatabase {
  /** Holds the password: never print it. */
  readonly url: string;
  /** The keyring of the embedded installation; absent where the database is the user's own. */
  readonly keyring?: Keyring;
  /** Texts of the secret keys at hand, newest first; never print them. */
  readonly secretKeys: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const portsSchema = z.looseObject({ postgres: z.int() });

/** The metadata database of this folder: the one that is configured, or the embedded one. */
export function findDatabase(dataDir: string, env: Environment): FoundDatabase {
  const { database } = loadConfig('command', env);
  if (database.url !== undefined) {
    const keys = database.secretKey?.reveal().split(',') ?? [];
    return { url: database.url.reveal(), secretKeys: keys };
  }
  // Looked for first: opening the keyring of a folder that has no installation would make one.
  if (!existsSync(join(dataDir, 'installation'))) {
    throw new MillraceError(
      'MR-A207',
      `no database is configured, and ${dataDir} has none: \`npm start\` makes it`,
    );
  }
  const keyring = openKeyring(dataDir, env);
  const url = new URL(`postgres://127.0.0.1:${embeddedPort(dataDir)}/${METADATA_DATABASE}`);
  url.username = 'postgres';
  url.password = keyring.databasePassword.reveal();
  return { url: url.href, keyring, secretKeys: keyring.secretKeys.map(({ key }) => key.reveal()) };
}

/**
 * Works in it with one connection. The database of an embedded installation runs as long as Millrace does:
 * when it does not answer, the address is not what is wrong.
 */
export async function withDatabase<T>(
  { url, keyring }: FoundDatabase,
  applicationName: string,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  try {
    await using database = await Database.open({ url, applicationName, poolSize: 1 });
    return await work(database);
  } catch (cause) {
    if (keyring === undefined || registeredCodeOf(cause) !== 'MR-A207') throw cause;
    throw new CliError('The embedded database does not run: Millrace is stopped', {
      exitCode: EXIT.timeout,
      fix: 'Start it with `npm start` and repeat the command.',
      cause,
    });
  }
}

function embeddedPort(dataDir: string): number {
  const path = join(dataDir, 'ports.json');
  try {
    return portsSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).postgres;
  } catch (cause) {
    throw new MillraceError('MR-A207', `the database of ${dataDir} has never run`, { cause });
  }
}
