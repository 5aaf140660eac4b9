import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { z } from 'zod';

import { parseDeclarations } from '../../domain/params/declarations.js';
import { importJobFile, MAP_OPTION, parametersOf, syncPath } from '../api/sync-job.js';
import { findWorkflow, workflowsPath } from '../api/workflow.js';
import { CliError } from '../cli-error.js';
import type { Command, CommandContext } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderFields } from '../output/fields.js';
import { renderTable } from '../output/table.js';
import { readDocument } from '../read-document.js';

const cellSchema = z.union([
  z.string(),
  z.null(),
  z.looseObject({ base64: z.string() }),
  z.looseObject({ text64: z.string() }),
]);
const previewSchema = z.looseObject({
  columns: z.array(z.string()),
  rows: z.array(z.array(cellSchema)),
  dirty: z.array(
    z.looseObject({
      row: z.number(),
      place: z.string().optional(),
      column: z.string().optional(),
      code: z.string(),
      reason: z.string(),
    }),
  ),
  rowsRead: z.number(),
  rowsFiltered: z.number(),
  verdicts: z.array(
    z.looseObject({
      source: z.string(),
      target: z.string(),
      verdict: z.string(),
      reason: z.string().optional(),
    }),
  ),
  findings: z.array(
    z.looseObject({ level: z.string(), code: z.string().optional(), message: z.string() }),
  ),
  lane: z.string(),
  slices: z.looseObject({ count: z.number(), first: z.array(z.string()) }),
  plan: z.looseObject({ strategy: z.string(), label: z.string() }).nullable(),
  createTable: z.looseObject({ sql: z.string(), notes: z.array(z.string()) }).nullable(),
});
type Preview = z.infer<typeof previewSchema>;

const declarations = z.union([z.string(), z.record(z.string(), z.string())]);
const draftSchema = z.looseObject({
  draft: z.looseObject({
    parameters: declarations.optional(),
    nodes: z.array(
      z.looseObject({
        id: z.string(),
        type: z.string(),
        parameters: declarations.optional(),
        config: z.unknown(),
      }),
    ),
  }),
});
type Draft = z.infer<typeof draftSchema>['draft'];
const fileSchema = z.union([draftSchema, z.looseObject({})]);

const FILE = {
  name: 'a workflow file',
  form: 'Give a workflow file, or a job file of DataWorks or DataX.',
  shape: 'A workflow file is {"name", "draft"}.',
  answered: [],
};
const SHOWN_CHARACTERS = 40;

interface Previewed {
  readonly config: unknown;
  readonly parameters: Readonly<Record<string, string>>;
}

export const syncPreview: Command = {
  path: ['sync', 'preview'],
  summary: 'Show what a sync would do with its first rows; writes nothing',
  args: ['WHAT'],
  completes: 'workflow',
  options: {
    node: { type: 'string', value: 'NODE', help: 'which one, where there are several sync nodes' },
    rows: { type: 'string', value: 'N', help: 'how many are read (default: 20)' },
    bizdate: { type: 'string', value: 'DATE', help: 'business date (default: the last one)' },
    param: {
      type: 'string',
      short: 'p',
      multiple: true,
      value: 'K=V',
      help: 'a parameter; repeatable',
    },
    group: { type: 'string', value: 'GROUP', help: 'resource group whose worker reads' },
    map: MAP_OPTION,
  },
  examples: [
    'millrace sync preview orders_daily --node load',
    'millrace sync preview draft.yaml -o json',
    'millrace sync preview datax-job.json --map mysql_pub=shop',
  ],
  async run(ctx) {
    const { flags, printer, settings } = ctx;
    const bizdate = flags.date('bizdate');
    const rows = flags.count('rows');
    const group = flags.text('group');
    const { config, parameters } = await previewedOf(ctx);
    const body = {
      config,
      parameters: { ...parameters, ...flags.pairs('param') },
      ...(bizdate === undefined ? {} : { bizdate }),
      ...(rows === undefined ? {} : { rows }),
      ...(group === undefined ? {} : { resourceGroup: group }),
    };
    const api = await ctx.api();
    const path = `${syncPath(await ctx.workspace())}/preview`;
    const { value } = await api.send('POST', path, previewSchema, { body });
    printer.one(value, ctx.args[0] ?? '', () => textOf(value, settings.color));
    return value.findings.some(({ level }) => level === 'error') ? EXIT.validation : EXIT.ok;
  },
};

/** A file that is there, else the workflow of that name. */
async function previewedOf(ctx: CommandContext): Promise<Previewed> {
  const what = ctx.args[0] ?? '';
  const path = resolve(ctx.io.cwd, what);
  if (!existsSync(path)) {
    const api = await ctx.api();
    const ws = await ctx.workspace();
    const { id } = await findWorkflow(api, ws, what);
    const { draft } = await api.get(`${workflowsPath(ws)}/${id}`, draftSchema);
    return nodeOf(draft, what, ctx);
  }
  // Job files have comments, which YAML has not.
  const file = await readDocument(path, fileSchema, FILE).catch(() => ({}));
  const workflow = draftSchema.safeParse(file);
  if (workflow.success) return nodeOf(workflow.data.draft, what, ctx);
  const { config, errors } = await importJobFile(ctx, what);
  if (errors.length === 0) return { config, parameters: parametersOf(config, []) };
  throw new CliError('The file cannot be previewed as it is', {
    exitCode: EXIT.validation,
    fix: 'Correct what is named above.',
  });
}

function nodeOf(draft: Draft, what: string, { flags }: CommandContext): Previewed {
  const wanted = flags.text('node');
  const nodes = draft.nodes.filter(
    ({ id, type }) => type === 'sync' && (wanted === undefined || id === wanted),
  );
  const [node] = nodes;
  if (node === undefined || nodes.length > 1) {
    const named = wanted === undefined ? `${nodes.length} sync nodes` : `no sync node "${wanted}"`;
    throw new CliError(`${what} has ${named}`, {
      exitCode: EXIT.conflict,
      fix: `Choose one with --node: ${draft.nodes
        .filter(({ type }) => type === 'sync')
        .map(({ id }) => id)
        .join(', ')}.`,
    });
  }
  const own = parseDeclarations(node.parameters ?? {});
  return {
    config: node.config,
    parameters: { ...parseDeclarations(draft.parameters ?? {}), ...own },
  };
}

function textOf(preview: Preview, color: boolean): string {
  const { columns, rows, dirty, verdicts, findings, slices, plan, createTable } = preview;
  const more = slices.count > slices.first.length ? ', …' : '';
  const fields = renderFields({
    read: `${preview.rowsRead} rows`,
    arrive: `${rows.length}, dirty ${dirty.length}, filtered ${preview.rowsFiltered}`,
    lane: preview.lane,
    slices: `${slices.count}: ${slices.first.join(', ')}${more}`,
    plan: plan === null ? undefined : `${plan.strategy}: ${plan.label}`,
  });
  const parts = [
    fields,
    findings.map(({ level, message }) => `${level}: ${message}\n`).join(''),
    createTable === null ? '' : statementText(createTable),
    renderTable(
      verdicts,
      [
        { title: 'source', of: (v) => v.source },
        { title: 'target', of: (v) => v.target },
        { title: 'verdict', of: (v) => v.verdict },
        { title: 'reason', of: (v) => v.reason ?? '' },
      ],
      color,
    ),
    rows.length === 0
      ? ''
      : renderTable(
          rows,
          columns.map((title, i) => ({ title, of: (row) => cellText(row[i] ?? null) })),
          color,
        ),
    dirty.length === 0
      ? ''
      : renderTable(
          dirty,
          [
            { title: 'row', of: (d) => d.place ?? d.row },
            { title: 'column', of: (d) => d.column ?? '' },
            { title: 'code', of: (d) => d.code },
            { title: 'reason', of: (d) => d.reason },
          ],
          color,
        ),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** As it can be put into a file; what is to be known of it stands before it as comments. */
function statementText({ sql, notes }: NonNullable<Preview['createTable']>): string {
  return [...notes.map((note) => `-- ${note}`), sql, ''].join('\n');
}

function cellText(cell: z.infer<typeof cellSchema>): string {
  const text = typeof cell === 'string' ? JSON.stringify(cell).slice(1, -1) : JSON.stringify(cell);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
