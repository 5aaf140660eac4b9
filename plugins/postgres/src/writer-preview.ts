import type { Lane, WriteMode, WriterPreview } from '@millrace/sdk';
import type { WritePlan } from './write-plan.js';

/** How rows would go to the target. */
interface Way {
  readonly mode: WriteMode;
  readonly isStaged: boolean;
  readonly lanes: readonly Lane[];
}

/** What writing would do with rows, found out without writing any. */
export function writerPreview(plan: WritePlan, { mode, isStaged, lanes }: Way): WriterPreview {
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
