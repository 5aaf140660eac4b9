import { z } from 'zod';

import type { CommandContext } from './command.js';
import { EXIT } from './exit-code.js';
import type { ActionFields, InstanceAction } from './instance-action.js';
import { counted } from './output/counted.js';
import { statusColor } from './output/status-color.js';
import { renderTable, type TableColumn } from './output/table.js';

const verdictSchema = z.looseObject({
  id: z.string(),
  node: z.string().nullish(),
  workflow: z.string().nullish(),
  bizdate: z.string().nullish(),
  status: z.string().nullish(),
  verdict: z.string(),
  code: z.string().nullish(),
  reason: z.string().nullish(),
  doubles: z.boolean().nullish(),
});
type Verdict = z.infer<typeof verdictSchema>;

const downstreamSchema = z.looseObject({
  id: z.string(),
  node: z.string(),
  workflow: z.string(),
  bizdate: z.string(),
  status: z.string(),
  effect: z.string(),
  doubles: z.boolean().nullish(),
});
type Downstream = z.infer<typeof downstreamSchema>;

const previewSchema = z.looseObject({
  items: z.array(verdictSchema),
  downstream: z.array(downstreamSchema),
  downstreamTotal: z.number(),
  totals: z.looseObject({
    workflows: z.array(z.object({ workflow: z.string(), instances: z.number() })).default([]),
    doubles: z.number().default(0),
    changedCode: z.number().default(0),
    downstream: z.record(z.string(), z.number()).default({}),
  }),
});
export type Preview = z.infer<typeof previewSchema>;

/** As many as one request may name. */
const PREVIEW_SIZE = 1000;
const UNCHANGED = 'unchanged';
const DOUBLES = 'appends a second time';

const VERDICT_COLORS: Readonly<Record<string, string>> = { will: '32', refused: '31' };

const ITEM_COLUMNS: readonly TableColumn<Verdict>[] = [
  { title: 'id', of: (v) => v.id },
  { title: 'node', of: (v) => v.node ?? '' },
  { title: 'bizdate', of: (v) => v.bizdate ?? '' },
  { title: 'status', of: (v) => v.status ?? '', color: (v) => statusColor(v.status ?? '') },
  { title: 'verdict', of: (v) => v.verdict, color: (v) => VERDICT_COLORS[v.verdict] },
  {
    title: 'reason',
    of: (v) => [v.code, v.reason, v.doubles === true ? DOUBLES : ''].filter(Boolean).join(' '),
  },
];

const DOWNSTREAM_COLUMNS: readonly TableColumn<Downstream>[] = [
  { title: 'downstream', of: (d) => d.id },
  { title: 'node', of: (d) => d.node },
  { title: 'bizdate', of: (d) => d.bizdate },
  { title: 'status', of: (d) => d.status, color: (d) => statusColor(d.status) },
  { title: 'effect', of: (d) => (d.doubles === true ? `${d.effect}, ${DOUBLES}` : d.effect) },
];

/** What the operation would do, by the rules of the server; nothing is changed. */
export async function previewInstances(
  ctx: CommandContext,
  ids: readonly string[],
  action: InstanceAction,
  fields: ActionFields = {},
): Promise<Preview> {
  const path = `/workspaces/${encodeURIComponent(await ctx.workspace())}/instances/preview`;
  const api = await ctx.api();
  const pages: Preview[] = [];
  for (let at = 0; at < ids.length; at += PREVIEW_SIZE) {
    const body = { action, ids: ids.slice(at, at + PREVIEW_SIZE), ...fields };
    pages.push((await api.send('POST', path, previewSchema, { body })).value);
  }
  const [only] = pages;
  return only !== undefined && pages.length === 1 ? only : joined(pages);
}

function joined(pages: readonly Preview[]): Preview {
  const sum = (of: (page: Preview) => number): number =>
    pages.reduce((total, page) => total + of(page), 0);
  const counts = new Map<string, number>();
  const effects: Record<string, number> = {};
  for (const { totals } of pages) {
    for (const { workflow, instances } of totals.workflows)
      counts.set(workflow, (counts.get(workflow) ?? 0) + instances);
    for (const [effect, count] of Object.entries(totals.downstream))
      effects[effect] = (effects[effect] ?? 0) + count;
  }
  return {
    items: pages.flatMap((page) => page.items),
    downstream: pages.flatMap((page) => page.downstream),
    downstreamTotal: sum((page) => page.downstreamTotal),
    totals: {
      workflows: [...counts].map(([workflow, instances]) => ({ workflow, instances })),
      doubles: sum((page) => page.totals.doubles),
      changedCode: sum((page) => page.totals.changedCode),
      downstream: effects,
    },
  };
}

/** Prints it; the exit code is the one the operation would have. */
export function showPreview(ctx: CommandContext, preview: Preview): number {
  const { color } = ctx.settings;
  const names = preview.items.filter((v) => v.verdict === 'will').map((v) => v.id);
  ctx.printer.one(preview, names.join('\n'), () => {
    const items = renderTable(preview.items, ITEM_COLUMNS, color);
    const { downstream, downstreamTotal } = preview;
    if (downstream.length === 0) return items;
    const more =
      downstreamTotal > downstream.length ? `… ${downstreamTotal} downstreams in all\n` : '';
    return `${items}\n${renderTable(downstream, DOWNSTREAM_COLUMNS, color)}${more}`;
  });
  ctx.io.stderr('Nothing was changed (--dry-run).\n');
  return preview.items.some((v) => v.verdict === 'refused') ? EXIT.conflict : EXIT.ok;
}

const QUESTIONS: Readonly<Record<InstanceAction, string>> = {
  rerun: 'Run again',
  'rerun-from-here': 'Run again, with the downstream that has not succeeded,',
  'rerun-downstream': 'Run again, with all of the downstream,',
  'force-rerun': 'Run past its upstreams and its rerun mode',
  stop: 'Stop',
  'set-success': 'Set to success, without running,',
  freeze: 'Freeze',
  unfreeze: 'Unfreeze',
  unlink: 'Remove edges of',
  change: 'Change',
};

function workflowCounts({ totals }: Preview): string {
  const shown = totals.workflows.slice(0, 5);
  const more = totals.workflows.length > shown.length ? ', …' : '';
  return shown.map(({ workflow, instances }) => `${workflow}: ${instances}`).join(', ') + more;
}

/** The question before it: what will move, what will not, whom it reaches. */
export function previewSentence(
  action: InstanceAction,
  ids: readonly string[],
  preview: Preview,
): string {
  const shown = preview.items
    .slice(0, 3)
    .map(
      ({ id, node, bizdate, status }) =>
        `${id} (${node ?? '?'}, ${bizdate ?? '?'}, ${status ?? '?'})`,
    );
  const more = ids.length > shown.length ? ` and ${ids.length - shown.length} more` : '';
  const refused = preview.items.filter(({ verdict }) => verdict === 'refused').length;
  const reached = Object.entries(preview.totals.downstream)
    .filter(([effect]) => effect !== UNCHANGED)
    .reduce((total, [, count]) => total + count, 0);
  const not = refused === 0 ? '' : ` ${refused} of them cannot.`;
  const whom = reached === 0 ? '' : ` It reaches ${counted(reached, 'downstream')}.`;
  const { changedCode, doubles, workflows } = preview.totals;
  const where = workflows.length < 2 ? '' : ` ${workflowCounts(preview)}.`;
  const twice = doubles === 0 ? '' : ` ${counted(doubles, 'instance')} will append a second time.`;
  const other =
    changedCode === 0
      ? ''
      : ` ${counted(changedCode, 'instance')} planned with other code than the latest.`;
  return `${QUESTIONS[action]} ${shown.join(', ')}${more}?${not}${whom}${where}${twice}${other}`;
}
