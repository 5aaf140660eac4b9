import { z } from 'zod';

import { type BackfillPlan, backfillPlanSchema, backfillsPath } from '../api/backfill.js';
import { findWorkflow } from '../api/workflow.js';
import { BACKFILL_OPTIONS, backfillRequest, type DateRange } from '../backfill-request.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';
import { counted } from '../output/counted.js';
import { renderTable, type TableColumn } from '../output/table.js';

const startedSchema = z.looseObject({
  id: z.string(),
  instances: z.number(),
  bizdates: z.number(),
});

export const backfill: Command = {
  path: ['backfill'],
  summary: 'Run a workflow, or some of its nodes, for business dates',
  args: ['WORKFLOW'],
  completes: 'workflow',
  options: {
    ...BACKFILL_OPTIONS,
    name: { type: 'string', value: 'TEXT', help: 'name of the backfill' },
    plan: { type: 'boolean', help: 'show what it would do, by business date, and start nothing' },
    'plan-token': {
      type: 'string',
      value: 'TOKEN',
      help: 'of a plan (-o json): refuse when what it saw has changed',
    },
    'dry-run': DRY_RUN,
  },
  examples: [
    'millrace backfill orders_daily --from 2026-11-01 --to 2026-11-07',
    'millrace backfill orders_daily --ranges 2026-01-01..2026-03-31,2026-11-20 --order desc --parallel 4 --only missing --plan',
    'millrace backfill orders_daily --from 2026-11-01 --to 2026-11-07 --only missing --check-source --plan',
    'millrace backfill orders_daily --node load --downstream --across-workflows --from 2026-11-01 --to 2026-11-07 --plan',
  ],
  async run({ args, flags, io, settings, printer, api, workspace }) {
    const request = backfillRequest(flags);
    const client = await api();
    const path = backfillsPath(await workspace());
    const workflow = await findWorkflow(client, await workspace(), args[0] ?? '');
    const body = { workflow: workflow.id, ...request };
    if (settings.dryRun || flags.isSet('plan')) {
      const plan = await client.send('POST', `${path}/plan`, backfillPlanSchema, { body });
      if (flags.isSet('plan'))
        printer.one(plan.value, workflow.name, () => planText(plan.value, settings.color));
      io.stderr(
        `${planSentence(request, plan.value)} Nothing was started.\n` +
          orderSentence(request.order, plan.value),
      );
      return EXIT.ok;
    }
    const planToken = flags.text('plan-token');
    const { value } = await client.send('POST', path, startedSchema, {
      body: {
        ...body,
        name: flags.text('name') ?? `${workflow.name} ${datesText(request)}`.slice(0, 128),
        ...(planToken === undefined ? {} : { planToken }),
      },
    });
    printer.one(
      value,
      value.id,
      () =>
        `Backfill ${value.id}: ${counted(value.instances, 'instance')} for ${counted(value.bizdates, 'business date')}.\n`,
    );
    return EXIT.ok;
  },
};

interface Dated {
  readonly ranges: readonly DateRange[];
  readonly dates: readonly string[];
}

function datesText({ ranges, dates }: Dated): string {
  const texts = ranges.map(({ from, to }) => (from === to ? from : `${from} to ${to}`));
  return [...texts, ...dates].join(', ');
}

/** What was asked for and is not done must not be seen in the order of the rows alone. */
function orderSentence(asked: string, { order }: BackfillPlan): string {
  if (asked === order) return '';
  return `Oldest first, although --order ${asked} was asked for: a node waits for its previous cycle.\n`;
}

function planSentence(
  request: Dated,
  { workflows, totals, estimateMs, missing }: BackfillPlan,
): string {
  const days = counted(totals.dates, 'business date');
  const gone = missing?.counts.goneAtSource ?? 0;
  const unchecked = missing?.counts.unchecked ?? 0;
  const more = [
    ...(gone > 0 ? [`${gone} gone at the source`] : []),
    ...(unchecked > 0 ? [`${unchecked} could not be checked at the source`] : []),
    ...(totals.dryRun > 0 ? [counted(totals.dryRun, 'dry run')] : []),
    ...(totals.leftOut > 0 ? [`${totals.leftOut} left out`] : []),
    ...(totals.conflicts > 0 ? [counted(totals.conflicts, 'conflict')] : []),
    ...(estimateMs === null ? [] : [`at least ${Math.ceil(estimateMs / 1000)} s`]),
  ];
  const rest = more.length === 0 ? '' : ` (${more.join(', ')})`;
  const names = workflows.map(({ name }) => name).join(', ');
  return `Would run ${names} for ${days}, ${datesText(request)}: ${counted(totals.run, 'instance')}${rest}.`;
}

type PlanDate = BackfillPlan['dates'][number];

const sum = (counts: readonly number[]): number => counts.reduce((total, n) => total + n, 0);

const PLAN_COLUMNS: readonly TableColumn<PlanDate>[] = [
  { title: 'bizdate', of: (d) => d.bizdate },
  { title: 'run', of: (d) => sum(d.run), align: 'right' },
  { title: 'dry run', of: (d) => sum(d.dryRun), align: 'right' },
  { title: 'left out', of: (d) => sum(d.leftOut), align: 'right' },
  { title: 'conflicts', of: (d) => sum(d.conflicts), align: 'right' },
];

function dryRunReason(reason: string | null | undefined): string {
  return reason === 'backfill_forbidden'
    ? 'no backfill may run it (backfill: forbidden)'
    : 'it was not asked for and others need it';
}

/** Who takes part beside the workflow that is asked for. */
function workflowLines({ workflows, nodes }: BackfillPlan): string[] {
  const isOne = workflows.length < 2;
  return workflows.flatMap(({ name, version }) => {
    const own = nodes.filter(({ workflow }) => workflow === name);
    if (isOne || own.length === 0) return [];
    const names = own.map((node) => node.name.slice(node.name.indexOf('/') + 1)).join(', ');
    return [`${name} (version ${version}): ${names}\n`];
  });
}

const REASONS: Readonly<Record<string, string>> = {
  no_record: 'is missing: there is no record of it',
  gone_at_source: 'is missing: it has gone at the source',
  unchecked: 'is left out: there is a record, and its source could not be checked',
};

/** Why each cycle runs or not; the list is that of the answer, which ends somewhere. */
function missingLines({ missing }: BackfillPlan): string[] {
  if (missing === null || missing === undefined) return [];
  const cycles = missing.cycles.map(({ node, bizdate, reason, dataSource, table, partition }) => {
    const place = [dataSource, table, partition].filter((part) => part !== null && part !== '');
    const what = place.length === 0 ? '' : ` (${place.join(', ')})`;
    return `${node} on ${bizdate} ${REASONS[reason] ?? reason}${what}\n`;
  });
  const tables = missing.uncheckedTables.map(
    ({ resourceGroup, dataSource, table, code, detail }) =>
      `${dataSource}, ${table}: workers of ${resourceGroup} could not look: ${code}: ${detail}\n`,
  );
  return [...cycles, ...tables];
}

function planText(plan: BackfillPlan, color: boolean): string {
  const lines = [
    ...workflowLines(plan),
    ...plan.nodes
      .filter(({ role }) => role === 'dry_run')
      .map(({ name, reason }) => `${name} is a dry run: ${dryRunReason(reason)}\n`),
    ...missingLines(plan),
    ...plan.choices.map(
      (c) => `${c.node} on ${c.bizdate} waits for ${c.id} of ${c.scheduledTime} (${c.status})\n`,
    ),
    ...plan.conflicts.map((c) => `${c.node} of ${c.scheduledTime} lives already: ${c.id}\n`),
  ];
  return [renderTable(plan.dates, PLAN_COLUMNS, color), ...lines].join('');
}
