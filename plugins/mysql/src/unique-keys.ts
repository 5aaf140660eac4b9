import { chooseMergeKeys } from '@millrace/sdk';
import type { MergeKeys, MergeMode } from '@millrace/sdk';

import { quoteName, textLiteral } from './literal.js';
import { columnNamed } from './reader-source.js';
import type { Session } from './session.js';
import type { WriterTarget } from './writer-target.js';

export interface UniqueKey {
  readonly index: string;
  /** As the index has them, e.g. `name`(20). */
  readonly parts: readonly string[];
  /** Absent when a part is an expression or the begin of a text: no row is found by it. */
  readonly columns: readonly string[] | undefined;
}

/** The primary key comes first. */
export async function uniqueKeys(
  session: Session,
  { name, schema, isMissing }: Pick<WriterTarget, 'name' | 'schema' | 'isMissing'>,
): Promise<readonly UniqueKey[]> {
  if (isMissing === true) {
    const { primaryKey } = schema;
    const parts = primaryKey.map(quoteName);
    return primaryKey.length === 0 ? [] : [{ index: 'PRIMARY', parts, columns: primaryKey }];
  }
  const rows = await session.rows(
    `SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS
      WHERE TABLE_SCHEMA = ${textLiteral(name.database)} AND TABLE_NAME = ${textLiteral(name.table)}
        AND NON_UNIQUE = 0 ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`,
  );
  const keys = new Map<string, { parts: string[]; columns: string[] | undefined }>();
  for (const [index, column, length] of rows) {
    const key = keys.get(index ?? '') ?? { parts: [], columns: [] };
    keys.set(index ?? '', key);
    if (column !== null && column !== undefined) {
      key.parts.push(`${quoteName(column)}${length === null ? '' : `(${length})`}`);
    }
    if (column === null || column === undefined || length !== null) key.columns = undefined;
    else key.columns?.push(column);
  }
  return [...keys].map(([index, key]) => ({ index, ...key }));
}

export interface WantedKeys {
  readonly mode: MergeMode;
  /** `undefined`: the primary key. */
  readonly key: readonly string[] | undefined;
  /** Names of the target's columns that are written. */
  readonly mapped: readonly string[];
}

/** Throws MR-D190 when the table has no unique key as the mode needs one. */
export async function resolveKeys(
  session: Session,
  target: WriterTarget,
  { mode, key, mapped }: WantedKeys,
): Promise<MergeKeys> {
  const { schema } = target;
  const keys = (await uniqueKeys(session, target)).flatMap(({ columns }) =>
    columns === undefined ? [] : [columns],
  );
  const spelled = (name: string): string => columnNamed(schema, name).name;
  return chooseMergeKeys(mode, schema, keys, {
    wanted: key?.map(spelled),
    written: mapped.map(spelled),
  });
}
