import { z } from 'zod';

import type { TableColumn } from '../output/table.js';

/** The fields of a daily plan that commands read; others pass through to `-o json`. */
export const planSchema = z.looseObject({
  bizdate: z.string(),
  timezone: z.string(),
  state: z.string(),
  revision: z.number(),
  instances: z.number(),
  edges: z.number(),
  usualInstances: z.number().nullable(),
  sizeJump: z.string().nullable(),
  checksum: z.string().nullable(),
  plannedAt: z.string(),
  sealedAt: z.string().nullable(),
});
export type Plan = z.infer<typeof planSchema>;

export const planDetailSchema = planSchema.extend({
  workflows: z.array(
    z.looseObject({ name: z.string(), version: z.number(), instances: z.number() }),
  ),
});

export function plansPath(workspace: string): string {
  return `/workspaces/${encodeURIComponent(workspace)}/plans`;
}

export const PLAN_COLUMNS: readonly TableColumn<Plan>[] = [
  { title: 'bizdate', of: (p) => p.bizdate },
  { title: 'timezone', of: (p) => p.timezone },
  { title: 'state', of: (p) => (p.revision === 0 ? 'being made' : p.state) },
  { title: 'instances', of: (p) => p.instances, align: 'right' },
  { title: 'edges', of: (p) => p.edges, align: 'right' },
  { title: 'usual', of: (p) => p.usualInstances ?? '', align: 'right' },
  { title: 'jump', of: (p) => p.sizeJump ?? '', color: () => '33' },
  { title: 'checksum', of: (p) => p.checksum ?? '' },
];
