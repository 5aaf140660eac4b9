import { createHash } from 'node:crypto';
import type { AttemptIdentity } from '@millrace/sdk';
import { ledgerKey } from './file-ledger.js';

/** `.csv`, `.csv.gz`. */
const SUFFIX = /(?:\.[a-z\d]+)?(?:\.gz)?$/i;

/**
 * The file that an instance appends beside the others: `out/all.csv` becomes
 * `out/all-20260301T001500Z-1f0c2a9b.csv`. A rerun has the same one, so nothing of it is there twice.
 */
export function appendedPath(path: string, identity: AttemptIdentity): string {
  const time = identity.scheduledTime.replace(/\.\d+/, '').replaceAll(/\W/g, '');
  const key = createHash('sha256').update(ledgerKey(identity)).digest('hex').slice(0, 8);
  return withMark(path, `-${time}-${key}`);
}

/** Behind the name, before what says its format. */
export function withMark(path: string, mark: string): string {
  const slash = path.lastIndexOf('/') + 1;
  const name = path.slice(slash);
  const suffix = SUFFIX.exec(name)?.[0] ?? '';
  const stem = name.slice(0, name.length - suffix.length);
  return `${path.slice(0, slash)}${stem}${mark}${suffix}`;
}
