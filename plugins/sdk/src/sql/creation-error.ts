import type { ErrorCode } from '../error.js';
import { PluginError } from '../error.js';

/** What a server says of a statement; other codes tell of the account, the network or the disk. */
const OF_THE_STATEMENT: readonly ErrorCode[] = ['MR-D107', 'MR-D108', 'MR-D204', 'MR-D250'];

/** What a failed CREATE TABLE is to its user: MR-D222 in the server's own words, unless it is something else. */
export function creationError(error: unknown): unknown {
  if (!(error instanceof PluginError) || !OF_THE_STATEMENT.includes(error.code)) return error;
  return new PluginError('MR-D222', error.detail, { cause: error.cause });
}
