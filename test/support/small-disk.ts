import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A disk of so many megabytes within a server's folder, which belongs to the server's account. */
export interface SmallDisk extends Disposable {
  readonly folder: string;
}

/** `undefined` where this account may not mount one. `owned` is a file or folder of the server. */
export function mountSmallDisk(
  parent: string,
  owned: string,
  megabytes: number,
): SmallDisk | undefined {
  const folder = join(parent, 'small');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  const { uid, gid } = statSync(owned);
  chownSync(folder, uid, gid);
  return {
    folder,
    // The server may still have files open.
    [Symbol.dispose]: () => void execFileSync('umount', ['--lazy', folder]),
  };
}
