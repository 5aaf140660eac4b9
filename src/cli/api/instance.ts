import { z } from 'zod';

import { statusColor } from '../output/status-color.js';
import type { TableColumn } from '../output/table.js';

const namedSchema = z.looseObject({ id: z.string(), name: z.string() });

/** The fields of an instance that commands read; others pass through to `-o json`. */
export const instanceSchema = z.looseObject({
  id: z.string(),
  status: z.string(),
  workflow: namedSchema,
  node: namedSchema,
  bizdate: z.string(),
  scheduledTime: z.string(),
  frozen: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  upstreamFailed: z.boolean().default(false),
  startedAt: z.string().nullish(),
  endedAt: z.string().nullish(),
  reason: z.string().nullish(),
});
export type Instance = z.infer<typeof instanceSchema>;

export function stateText(instance: Instance): string {
  const marks = [
    instance.frozen ? 'frozen' : '',
    instance.dryRun ? 'dry run' : '',
    instance.upstreamFailed ? 'upstream failed' : '',
  ].filter(Boolean);
  return marks.length === 0 ? instance.status : `${instance.status} (${marks.join(', ')})`;
}

/** Seconds from start to end; empty while one of them is missing. */
export function durationText(instance: Instance): string {
  if (!instance.startedAt || !instance.endedAt) return '';
  const ms = Date.parse(instance.endedAt) - Date.parse(instance.startedAt);
  return `${(ms / 1000).toFixed(1)} s`;
}

/** `load: succeeded in 1.2 s`, while a run is watched. */
export function stateLine(instance: Instance): string {
  const took = durationText(instance);
  return `${instance.node.name}: ${stateText(instance)}${took === '' ? '' : ` in ${took}`}\n`;
}

export const INSTANCE_COLUMNS: readonly TableColumn<Instance>[] = [
  { title: 'id', of: (i) => i.id },
  { title: 'workflow', of: (i) => i.workflow.name },
  { title: 'node', of: (i) => i.node.name },
  { title: 'bizdate', of: (i) => i.bizdate },
  { title: 'scheduled', of: (i) => i.scheduledTime },
  { title: 'status', of: stateText, color: (i) => statusColor(i.status) },
  { title: 'took', of: durationText, align: 'right' },
];
