import { z } from 'zod';

import type { TableColumn } from '../output/table.js';

const countsSchema = z.record(z.string(), z.number());

/** The fields of a backfill that commands read; others pass through to `-o json`. */
export const backfillSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  workflows: z.array(z.string()),
  state: z.string(),
  parallelism: z.number(),
  createdAt: z.string(),
  createdBy: z.string().nullish(),
  statuses: countsSchema,
  dates: countsSchema,
  made: z.number(),
  problem: z.looseObject({ code: z.string(), detail: z.string() }).nullish(),
});
export type Backfill = z.infer<typeof backfillSchema>;

export const backfillDetailSchema = backfillSchema.extend({
  bizdates: z.array(
    z.looseObject({ bizdate: z.string(), state: z.string(), statuses: countsSchema }),
  ),
});
export type BackfillDate = z.infer<typeof backfillDetailSchema>['bizdates'][number];

const counts = z.array(z.number());

export const backfillPlanSchema = z.looseObject({
  order: z.string(),
  workflows: z.array(z.looseObject({ name: z.string(), version: z.number() })),
  nodes: z.array(
    z.looseObject({
      name: z.string(),
      workflow: z.string(),
      role: z.string(),
      reason: z.string().nullish(),
    }),
  ),
  dates: z.array(
    z.looseObject({
      bizdate: z.string(),
      run: counts,
      dryRun: counts,
      leftOut: counts,
      conflicts: counts,
    }),
  ),
  totals: z.looseObject({
    dates: z.number(),
    run: z.number(),
    dryRun: z.number(),
    leftOut: z.number(),
    conflicts: z.number(),
  }),
  choices: z.array(
    z.looseObject({
      node: z.string(),
      bizdate: z.string(),
      id: z.string(),
      status: z.string(),
      scheduledTime: z.string(),
    }),
  ),
  conflicts: z.array(
    z.looseObject({ id: z.string(), node: z.string(), scheduledTime: z.string() }),
  ),
  missing: z
    .looseObject({
      counts: z.looseObject({
        noRecord: z.number(),
        goneAtSource: z.number(),
        unchecked: z.number(),
      }),
      cycles: z.array(
        z.looseObject({
          node: z.string(),
          bizdate: z.string(),
          scheduledTime: z.string(),
          reason: z.string(),
          dataSource: z.string().nullable(),
          table: z.string().nullable(),
          partition: z.string().nullable(),
        }),
      ),
      uncheckedTables: z.array(
        z.looseObject({
          resourceGroup: z.string(),
          dataSource: z.string(),
          table: z.string(),
          code: z.string(),
          detail: z.string(),
        }),
      ),
    })
    .nullish(),
  estimateMs: z.number().nullable(),
  unknownNodes: z.number(),
  planToken: z.string(),
});
export type BackfillPlan = z.infer<typeof backfillPlanSchema>;

export function backfillsPath(workspace: string): string {
  return `/workspaces/${encodeURIComponent(workspace)}/backfills`;
}

export const BACKFILL_COLUMNS: readonly TableColumn<Backfill>[] = [
  { title: 'id', of: (b) => b.id },
  { title: 'name', of: (b) => b.name },
  { title: 'state', of: (b) => b.state },
  { title: 'at once', of: (b) => b.parallelism, align: 'right' },
  { title: 'dates over', of: (b) => datesOver(b), align: 'right' },
  { title: 'ended', of: (b) => ended(b.statuses), align: 'right' },
  { title: 'failed', of: (b) => b.statuses['failed'] ?? 0, align: 'right' },
  { title: 'created', of: (b) => b.createdAt },
];

export const BACKFILL_DATE_COLUMNS: readonly TableColumn<BackfillDate>[] = [
  { title: 'bizdate', of: (d) => d.bizdate },
  { title: 'state', of: (d) => d.state },
  { title: 'ended', of: (d) => ended(d.statuses), align: 'right' },
  { title: 'failed', of: (d) => d.statuses['failed'] ?? 0, align: 'right' },
];

/** `12 of 365 dates`; `undefined`: all are made. */
export function datesMade({ dates, made }: Backfill): string | undefined {
  const all = Object.values(dates).reduce((sum, count) => sum + count, 0);
  return made === all ? undefined : `${made} of ${all} dates`;
}

function datesOver({ dates }: Backfill): string {
  const of = (...states: readonly string[]): number =>
    states.reduce((sum, state) => sum + (dates[state] ?? 0), 0);
  const over = of('done', 'skipped', 'cancelled');
  return `${over}/${over + of('open', 'waiting')}`;
}

/** `3/12`: so many of all instances have ended. */
function ended(statuses: Readonly<Record<string, number>>): string {
  const of = (status: string): number => statuses[status] ?? 0;
  const total = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  return `${of('succeeded') + of('failed') + of('cancelled')}/${total}`;
}
