import { randomUUID } from 'node:crypto';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { failed, ok, warning, type Check } from './check.js';

const MIN_NODE = [20, 19] as const;
const LOW_DISK_BYTES = 1024 ** 3;

/** What can be said without a database. */
export function machineChecks(dataDir: string): Check[] {
  return [
    { name: 'node version', run: () => Promise.resolve(checkNode(process.versions.node)) },
    { name: 'data folder', run: () => checkFolder(dataDir) },
  ];
}

export function checkNode(version: string): ReturnType<typeof ok> {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return isNew
    ? ok(version)
    : failed(`${version} is too old`, `Install Node ${MIN_NODE.join('.')} or newer.`);
}

async function checkFolder(dataDir: string): Promise<ReturnType<typeof ok>> {
  const probe = join(dataDir, `.doctor-${randomUUID()}`);
  try {
    await mkdir(dataDir, { recursive: true });
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    return failed(
      error instanceof Error ? error.message : String(error),
      'Give the user that runs Millrace the right to write there, or set MILLRACE_DATA_DIR.',
    );
  }
  const disk = await statfs(dataDir);
  const freeBytes = disk.bavail * disk.bsize;
  const free = `${dataDir}, ${(freeBytes / 1024 ** 3).toFixed(1)} GB free`;
  return freeBytes < LOW_DISK_BYTES ? warning(free, 'Make room on that disk.') : ok(free);
}
