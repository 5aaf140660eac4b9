import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { Secret } from '../config/secret.js';
import { MillraceError } from '../domain/errors.js';
import { secretKeyId } from '../store/secret-box-of.js';
import { systemErrorOf } from './system-error.js';

/** The secrets of one embedded installation. */
export interface Keyring {
  /** Names the installation, e.g. in ledger rows of targets. Not secret. */
  readonly installation: string;
  /** The newest first: it encrypts; the others still decrypt until `millrace secret rotate` is through. */
  readonly secretKeys: readonly SecretKey[];
  readonly databasePassword: Secret;
  readonly path: string;
}

export interface SecretKey {
  /** Derived from the key; stored with every record it encrypts. */
  readonly id: string;
  readonly key: Secret;
}

const keyringSchema = z.strictObject({
  installation: z.string().min(1),
  secretKeys: z.array(z.string().min(32)).min(1),
  databasePassword: z.string().min(1),
});

type KeyringFile = z.output<typeof keyringSchema>;

const INSTALLATION_FILE = 'installation';

/**
 * Reads the keyring of the installation in `dataDir`, or makes both on the first start. The keyring lies
 * in the user's configuration folder with mode 0600, because shell nodes can read the data folder.
 * @throws MR-A203 when the data folder has an installation whose keyring is gone or damaged
 */
export function openKeyring(
  dataDir: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Keyring {
  const marker = join(dataDir, INSTALLATION_FILE);
  if (!existsSync(marker)) return create(marker, env);
  const installation = readFileSync(marker, 'utf8').trim();
  const path = keyringPath(installation, env);
  let file: KeyringFile;
  try {
    file = keyringSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const said = cause instanceof z.ZodError ? 'it is damaged' : systemErrorOf(cause).message;
    throw new MillraceError(
      'MR-A203',
      `the keyring ${path} of ${dataDir} cannot be read: ${said}`,
      {
        cause,
      },
    );
  }
  if (file.installation !== installation)
    throw new MillraceError('MR-A203', `${path} belongs to the installation ${file.installation}`);
  return keyringOf(file, path);
}

/** Puts a new key in front; what the old ones encrypted has to be wrapped again before they are dropped. */
export function addSecretKey(keyring: Keyring): Keyring {
  return rewrite(keyring, [newKey(), ...keyring.secretKeys.map(({ key }) => key.reveal())]);
}

/** Forgets all keys but the newest. Call only after every record is wrapped with it. */
export function dropOldSecretKeys(keyring: Keyring): Keyring {
  return rewrite(
    keyring,
    keyring.secretKeys.slice(0, 1).map(({ key }) => key.reveal()),
  );
}

function create(marker: string, env: Readonly<Record<string, string | undefined>>): Keyring {
  const file: KeyringFile = {
    installation: randomUUID(),
    secretKeys: [newKey()],
    databasePassword: randomBytes(24).toString('base64url'),
  };
  const path = keyringPath(file.installation, env);
  // The keyring first: a data folder that names a keyring which was never written would be unusable.
  write(path, file);
  writeFileSync(`${marker}.part`, `${file.installation}\n`);
  renameSync(`${marker}.part`, marker);
  return keyringOf(file, path);
}

function keyringPath(
  installation: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const configHome = env['XDG_CONFIG_HOME'] ?? '';
  const base = configHome === '' ? join(homedir(), '.config') : configHome;
  return join(base, 'millrace', installation, 'keyring.json');
}

function rewrite(keyring: Keyring, secretKeys: string[]): Keyring {
  const { installation, databasePassword, path } = keyring;
  const file = { installation, secretKeys, databasePassword: databasePassword.reveal() };
  write(path, file);
  return keyringOf(file, path);
}

function write(path: string, file: KeyringFile): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Flushed: a key that a power cut takes away takes the credentials with it.
    const text = `${JSON.stringify(file, undefined, 2)}\n`;
    writeFileSync(`${path}.part`, text, { mode: 0o600, flush: true });
    renameSync(`${path}.part`, path);
  } catch (cause) {
    throw new MillraceError('MR-A202', systemErrorOf(cause).message, { cause });
  }
}

function keyringOf(file: KeyringFile, path: string): Keyring {
  return {
    installation: file.installation,
    secretKeys: file.secretKeys.map((key) => ({ id: secretKeyId(key), key: new Secret(key) })),
    databasePassword: new Secret(file.databasePassword),
    path,
  };
}

function newKey(): string {
  return randomBytes(32).toString('base64url');
}
