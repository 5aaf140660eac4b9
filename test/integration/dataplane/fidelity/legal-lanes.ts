import type { Lane } from '@millrace/sdk';

import { fieldFormOf } from '../../../../plugins/mysql/src/field-form.js';
import { isLoadable } from '../../../../plugins/mysql/src/load-columns.js';
import type { ColumnPair } from '../../../../plugins/mysql/src/writer-target.js';
import { WritePlan } from '../../../../plugins/postgres/src/write-plan.js';
import type { TestServer } from '../../../support/servers.js';

/** A way for the rows of some columns; `means`: how a MySQL server takes the lines. */
export interface LegalLane {
  readonly lane: Lane;
  readonly means?: 'LOAD DATA LOCAL' | 'INSERT';
}

/** The ways a pair of columns may go between two servers, the lowest lane first. */
export function legalLanes(
  pair: ColumnPair,
  from: TestServer,
  to: TestServer,
  hasLocalInfile: boolean,
): readonly LegalLane[] {
  const { source, target } = pair;
  if (to.kind === 'mysql') {
    const isLoaded = hasLocalInfile && isLoadable(pair);
    return [
      ...(isLoaded ? [{ lane: 'pg-copy-text', means: 'LOAD DATA LOCAL' } as const] : []),
      ...(fieldFormOf(pair) === undefined
        ? []
        : [{ lane: 'pg-copy-text', means: 'INSERT' } as const]),
      { lane: 'rows' },
    ];
  }
  const table = { table: 't', columns: [target], primaryKey: [] };
  const plan = new WritePlan(table, { columns: [{ source, target: target.name }] }, {});
  return plan
    .lanes(true)
    .filter((lane) => from.kind === 'postgres' || lane !== 'pg-copy-binary')
    .map((lane) => ({ lane }));
}
