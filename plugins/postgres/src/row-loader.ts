import type { Row, WriteContext } from '@millrace/sdk';
import type { Client } from 'pg';
import { encodeCopyText } from './copy-text.js';
import { isDataError, serverErrorOf, toPluginError } from './pg-error.js';
import { loadRange } from './range-load.js';
import { query } from './session.js';
import type { WritePlan } from './write-plan.js';

type Quarantine = WriteContext['quarantine'];

/** Puts the rows of a chunk into a table, inside the transaction that is open; bad rows go to quarantine. */
export async function loadRows(
  client: Client,
  quotedTable: string,
  plan: WritePlan,
  rows: readonly Row[],
  sliceNo: number,
  quarantine: Quarantine,
): Promise<number> {
  const good: Row[] = [];
  const originals: Row[] = [];
  for (const cells of rows) {
    const planned = plan.plan(cells);
    if (planned.refused === undefined) {
      good.push(planned.row);
      originals.push(cells);
    } else {
      await quarantine({ sliceNo, cells, code: 'MR-D202', ...planned.refused });
    }
  }
  const sql = `COPY ${quotedTable} (${plan.columnList}) FROM STDIN`;
  return loadRange(0, good.length, {
    put: (from, to) =>
      underSavepoint(client, () => copyIn(client, sql, encodeCopyText(good.slice(from, to)))),
    badRowOf: badLineOf,
    refuse: (index, error) =>
      quarantine({ sliceNo, cells: originals[index] ?? [], ...serverReasonOf(error) }),
  });
}

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

/** The SQLSTATE, words and column of a refusal, for the quarantine. */
export function serverReasonOf(error: unknown): {
  readonly code: string;
  readonly reason: string;
  readonly column?: string;
} {
  const plugin = toPluginError(error);
  const server = serverErrorOf(plugin.cause);
  const column = server?.column ?? /^COPY .*, column ([^:]+):/m.exec(server?.context ?? '')?.[1];
  return {
    code: server?.sqlState ?? plugin.code,
    reason: server?.message ?? plugin.detail,
    ...(column === undefined ? {} : { column }),
  };
}

async function copyIn(client: Client, sql: string, data: Buffer): Promise<void> {
  const { from } = await import('pg-copy-streams');
  await new Promise<void>((resolve, reject) => {
    const stream = client.query(from(sql));
    stream.on('finish', resolve);
    stream.on('error', reject);
    stream.end(data);
  });
}

function badLineOf(error: unknown): number | undefined {
  const context = serverErrorOf(toPluginError(error).cause)?.context ?? '';
  const line = /^COPY .*?, line (\d+)/m.exec(context)?.[1];
  return line === undefined ? undefined : Number(line) - 1;
}
