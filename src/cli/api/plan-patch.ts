import { z } from 'zod';

import { renderTable } from '../output/table.js';

const instanceSchema = z.looseObject({
  workflow: z.string(),
  node: z.string(),
  scheduledTime: z.string(),
});

/** The fields of a plan's patch that commands read; others pass through to `-o json`. */
export const planPatchSchema = z.looseObject({
  workflow: z.string(),
  bizdate: z.string(),
  version: z.number(),
  totals: z.looseObject({
    added: z.number(),
    replaced: z.number(),
    cancelled: z.number(),
    isolated: z.number(),
    kept: z.number(),
  }),
  added: z.array(instanceSchema),
  replaced: z.array(instanceSchema.extend({ changes: z.array(z.string()) })),
  cancelled: z.array(instanceSchema),
  isolated: z.array(instanceSchema.extend({ upstream: z.string() })),
});
export type PlanPatch = z.infer<typeof planPatchSchema>;

export const planPatchPreviewSchema = planPatchSchema.extend({ planToken: z.string() });

/** What a patch does in one line. */
export function patchSentence({ totals, bizdate, version }: PlanPatch): string {
  const counts = (['added', 'replaced', 'cancelled', 'isolated', 'kept'] as const)
    .map((what) => `${totals[what]} ${what}`)
    .join(', ');
  return `Version ${version} in the plan of business date ${bizdate}: ${counts}.`;
}

export function patchText(patch: PlanPatch, color: boolean): string {
  const rows = [
    ...patch.added.map((each) => ({ ...each, what: 'added', more: '' })),
    ...patch.replaced.map((each) => ({
      ...each,
      what: 'replaced',
      more: each.changes.join(', '),
    })),
    ...patch.cancelled.map((each) => ({ ...each, what: 'cancelled', more: '' })),
    ...patch.isolated.map((each) => ({
      ...each,
      what: 'isolated',
      more: `does not wait for ${each.upstream}`,
    })),
  ];
  if (rows.length === 0) return '';
  return renderTable(
    rows,
    [
      { title: 'what', of: (r) => r.what },
      { title: 'workflow', of: (r) => r.workflow },
      { title: 'node', of: (r) => r.node },
      { title: 'scheduled', of: (r) => r.scheduledTime },
      { title: 'more', of: (r) => r.more },
    ],
    color,
  );
}
