import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** An account of this machine that a database server can run as. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account for a database server: the first of `names` that exists, when we are root (database
 * servers refuse to run as root). `undefined` means: run as ourselves.
 */
export function serverUserOf(names: readonly string[]): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of [...names, 'nobody']) {
    const account = accounts.find((fields) => fields[0] === name);
    if (account !== undefined) return { name, uid: Number(account[2]), gid: Number(account[3]) };
  }
  return undefined;
}

/** Can that account go into the folder? Asked of the kernel, because access lists are not in the mode. */
export function canEnter(folder: string, user: SystemUser | undefined): boolean {
  if (user === undefined) return true;
  const { uid, gid } = user;
  return (
    spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', folder], { uid, gid, cwd: '/' }).status === 0
  );
}
