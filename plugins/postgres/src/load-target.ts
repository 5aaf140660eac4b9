import type { WriteContext } from '@millrace/sdk';
import type { Client } from 'pg';
import type { LoadHistory } from './load-history.js';
import type { WritePlan } from './write-plan.js';

/** Where the rows of one slice go: a table, inside the transaction that is open. */
export interface LoadTarget {
  readonly client: Client;
  readonly quotedTable: string;
  readonly plan: WritePlan;
  readonly sliceNo: number;
  readonly quarantine: WriteContext['quarantine'];
  readonly history: LoadHistory;
}

/** The table and its columns, as COPY names them. */
export function tableOf({ quotedTable, plan }: LoadTarget): string {
  return `${quotedTable} (${plan.columnList})`;
}
