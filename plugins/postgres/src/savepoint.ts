import type { Client } from 'pg';
import { isDataError, toPluginError } from './pg-error.js';
import { query } from './session.js';

/** Runs `work` so that a data error leaves the transaction as it was; resolves to that error. */
export async function underSavepoint(
  client: Client,
  work: () => Promise<unknown>,
): Promise<unknown> {
  await query(client, 'SAVEPOINT millrace_rows');
  try {
    await work();
  } catch (error) {
    if (!isDataError(error)) throw toPluginError(error);
    await query(client, 'ROLLBACK TO SAVEPOINT millrace_rows');
    await query(client, 'RELEASE SAVEPOINT millrace_rows');
    return error;
  }
  await query(client, 'RELEASE SAVEPOINT millrace_rows');
  return undefined;
}
