import type { WriteMode, WriterPreview } from '@millrace/sdk';
import type { WritingWay } from './prepared-write.js';

/** What writing would do with rows, found out without writing any. */
export function writerPreview(
  mode: WriteMode,
  { plan, isStaged, lanes }: WritingWay,
): WriterPreview {
  return {
    plan: isStaged
      ? { strategy: 'staging', label: `${mode} through a staging table` }
      : { strategy: 'transaction', label: `${mode} in one transaction` },
    lanes,
    look: (cells) => {
      const planned = plan.plan(cells);
      return planned.refused ?? { row: planned.row.slice(0, plan.mapped.length) };
    },
  };
}
