import type { Cell, MergeKeys, WriteContext, WriterPreview } from '@millrace/sdk';

import type { MysqlConfig } from './config.js';
import { quoteTable } from './literal.js';
import { rulesOf } from './row-encoder.js';
import type { Session } from './session.js';
import { SkippedLines } from './skipped-lines.js';
import type { WriterConfig } from './writer-config.js';
import { columnPairs, withPartition } from './writer-target.js';
import type { WriterTarget } from './writer-target.js';
import { MysqlWriterTask } from './writer-task.js';

/** How the rows would go there. */
interface Way {
  /** By which rows of the target are found; absent: by none. */
  readonly keys: MergeKeys | undefined;
  readonly isDirect: boolean;
  readonly config: WriterConfig;
}

/** What writing would do with rows, found out without writing any. */
export async function previewWriting(
  session: Session,
  target: WriterTarget,
  ctx: WriteContext<MysqlConfig>,
  { keys, isDirect, config }: Way,
): Promise<WriterPreview> {
  const pairs = withPartition(columnPairs(target, ctx.mapping), config, ctx.addsTo);
  const columns = pairs.map((pair) => ({ name: pair.target.name, ...rulesOf(pair) }));
  const { database, table } = target.name;
  const task = new MysqlWriterTask(ctx, {
    session,
    into: quoteTable(database, table),
    pairs,
    maxAllowedPacket: Number(await session.value('SELECT @@max_allowed_packet')),
    skippedLines: keys === undefined ? await SkippedLines.of(session, target, pairs) : undefined,
    isInsideTransaction: isDirect,
    hasNumbers: !isDirect,
    taskNo: 0,
    isFirst: true,
    onCommit: () => Promise.resolve(),
    onCommitted: () => undefined,
    onClose: () => Promise.resolve(),
  });
  return {
    plan: isDirect
      ? { strategy: 'transaction', label: `one transaction on ${table}${replacedText(config)}` }
      : { strategy: 'staging', label: `${table} through a staging table` },
    lanes: task.lanes,
    look: (cells) => {
      const row: Cell[] = [];
      for (const [i, { name: column, convert, check }] of columns.entries()) {
        const given = cells[i] ?? null;
        const cell = convert === undefined ? given : convert(given);
        const reason = check(cell);
        if (reason !== undefined) return { column, reason };
        row.push(cell);
      }
      return { row };
    },
  };
}

/** TRUNCATE and EXCHANGE PARTITION commit by themselves: a failure behind them would leave it empty. */
export function replacedText({ mode }: WriterConfig): string {
  return mode === 'partition-overwrite'
    ? ', in which the rows of the partition are deleted and written'
    : '';
}
