import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { MillraceError } from '../domain/errors.js';
import { systemErrorOf } from './system-error.js';
import { canEnter, serverUserOf, type SystemUser } from './system-user.js';

/** Where an embedded installation keeps its things. All absolute. */
export interface Location {
  readonly dataDir: string;
  readonly logDir: string;
  /** Holds the data of the database servers; `dataDir` itself unless their account cannot get there. */
  readonly serverDir: string;
}

const NOTE = 'location';

/**
 * Makes the data folder. A clone under root's home cannot be entered by the account PostgreSQL has to run
 * as; then the servers live in a folder of this clone outside, noted in `<dataDir>/location`.
 * @throws MR-A202 when it cannot be written
 */
export function prepareLocation(
  dataDir: string,
  user: SystemUser | undefined = serverUserOf(['postgres']),
): Location {
  const folder = resolve(dataDir);
  const logDir = join(folder, 'logs');
  try {
    mkdirSync(logDir, { recursive: true, mode: 0o755 });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new MillraceError('MR-A202', systemErrorOf(cause).message, { cause });
  }
  const note = join(folder, NOTE);
  // Once chosen it stays: the data is there.
  if (existsSync(note)) {
    const serverDir = readFileSync(note, 'utf8').trim();
    mkdirSync(serverDir, { recursive: true, mode: 0o755 });
    return { dataDir: folder, logDir, serverDir };
  }
  if (canEnter(folder, user)) return { dataDir: folder, logDir, serverDir: folder };
  const serverDir = folderOutside(realpathSync(folder), user);
  writeFileSync(note, `${serverDir}\n`);
  return { dataDir: folder, logDir, serverDir };
}

function folderOutside(dataDir: string, user: SystemUser | undefined): string {
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  for (const candidate of [`/var/lib/millrace/${name}`, join(tmpdir(), `millrace-${name}`)]) {
    try {
      // Folders one by one, because root's umask may leave others nothing.
      const made = mkdirSync(candidate, { recursive: true });
      for (
        let at = candidate;
        made?.length !== undefined && at.length >= made.length;
        at = dirname(at)
      )
        chmodSync(at, 0o755);
      if (canEnter(candidate, user)) return candidate;
    } catch {
      // Not a place we may write to: the next one.
    }
  }
  throw new MillraceError(
    'MR-A202',
    `${dataDir}: the user ${user?.name} cannot enter it, and no folder outside could be made`,
  );
}
