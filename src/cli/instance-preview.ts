import { z } from 'zod';

import type { CommandContext } from './command.js';
import { EXIT } from './exit-code.js';
import type { InstanceAction } from './instance-action.js';
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
});
type Verdict = z.infer<typeof verdictSchema>;

const downstreamSchema = z.looseObject({
  id: z.string(),
  node: z.string(),
  workflow: z.string(),
  bizdate: z.string(),
  status: z.string(),
  effect: z.string(),
});
type Downstream = z.infer<typeof downstreamSchema>;

const previewSchema = z.looseObject({
  items: z.array(verdictSchema),
  downstream: z.array(downstreamSchema),
  downstreamTotal: z.number(),
});
export type Preview = z.infer<typeof previewSchema>;

/** As many as one request may name. */
const PREVIEW_SIZE = 1000;
const UNCHANGED = 'unchanged';

const VERDICT_COLORS: Readonly<Record<string, string>> = { will: '32', refused: '31' };

const ITEM_COLUMNS: readonly TableColumn<Verdict>[] = [
  { title: 'id', of: (v) => v.id },
  { title: 'node', of: (v) => v.node ?? '' },
  { title: 'bizdate', of: (v) => v.bizdate ?? '' },
  { title: 'status', of: (v) => v.status ?? '', color: (v) => statusColor(v.status ?? '') },
  { title: 'verdict', of: (v) => v.verdict, color: (v) => VERDICT_COLORS[v.verdict] },
  { title: 'reason', of: (v) => [v.code, v.reason].filter(Boolean).join(' ') },
];

const DOWNSTREAM_COLUMNS: readonly TableColumn<Downstream>[] = [
  { title: 'downstream', of: (d) => d.id },
  { title: 'node', of: (d) => d.node },
  { title: 'bizdate', of: (d) => d.bizdate },
  { title: 'status', of: (d) => d.status, color: (d) => statusColor(d.status) },
  { title: 'effect', of: (d) => d.effect },
];

/** What the operation would do, by the rules of the server; nothing is changed. */
export async function previewInstances(
  ctx: CommandContext,
  ids: readonly string[],
  action: InstanceAction,
): Promise<Preview> {
  const path = `/workspaces/${encodeURIComponent(await ctx.workspace())}/instances/preview`;
  const api = await ctx.api();
  const pages: Preview[] = [];
  for (let at = 0; at < ids.length; at += PREVIEW_SIZE) {
    const body = { action, ids: ids.slice(at, at + PREVIEW_SIZE) };
    pages.push((await api.send('POST', path, previewSchema, { body })).value);
  }
  return {
    items: pages.flatMap((page) => page.items),
    downstream: pages.flatMap((page) => page.downstream),
    downstreamTotal: pages.reduce((sum, page) => sum + page.downstreamTotal, 0),
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
  stop: 'Stop',
  'set-success': 'Set to success, without running,',
  freeze: 'Freeze',
  unfreeze: 'Unfreeze',
};

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
  const reached = preview.downstream.filter(({ effect }) => effect !== UNCHANGED).length;
  const not = refused === 0 ? '' : ` ${refused} of them cannot.`;
  const whom = reached === 0 ? '' : ` It reaches ${counted(reached, 'downstream')}.`;
  return `${QUESTIONS[action]} ${shown.join(', ')}${more}?${not}${whom}`;
}
