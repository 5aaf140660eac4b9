import { bizdateOf, parseBizdate } from '../domain/calendar/bizdate.js';
import { type CyclesFrom, type NextCycle, nextCycles } from '../domain/calendar/next-cycles.js';
import type { BusinessCalendar } from '../domain/calendar/business-calendar.js';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import { evaluateDeclarations } from '../domain/params/declarations.js';
import type { Sql } from '../store/database.js';
import { workspaceParameters } from '../store/repositories/workspace-parameter-repository.js';
import { calendarsOfSpec } from './planned-schedule.js';
import { startOf } from './preview-schedule.js';
import { cycleScheduleOf, hasTimes, nodeSchedule } from './schedule-spec.js';
import { readSpec } from './read-spec.js';
import type { NodeSpec, WorkflowSpec } from './workflow-spec.js';

/** How many nodes a preview lists; `node` chooses one of the others. */
const MAX_NODES = 200;

export interface ParameterPreviewOptions {
  readonly workspaceId: number;
  readonly workflowId: number;
  /** `latest`: the latest version, or the stored draft while there is none; otherwise this draft. */
  readonly of: 'latest' | { readonly draft: unknown };
  readonly node?: string | undefined;
  /** From its first cycle on; from now on without it. */
  readonly bizdate?: string | undefined;
  /** Instances of each node. */
  readonly count: number;
}

interface DeclaredParameter {
  readonly name: string;
  readonly expression: string;
  /** Where the nearest declaration of the name stands, which wins. */
  readonly level: 'workspace' | 'workflow' | 'node';
}

/** A parameter whose value is an output of an upstream. */
interface PreviewedInput {
  readonly name: string;
  /** Null: the node's own workflow. */
  readonly workflow: string | null;
  readonly node: string;
  readonly output: string;
  readonly cycle: 'same' | 'previous';
  readonly pattern: string | null;
  readonly default: string | null;
}

interface PreviewedInstance extends NextCycle {
  readonly values: Readonly<Record<string, string>>;
  /** Why a parameter has no value, by its name. */
  readonly errors: Readonly<Record<string, string>>;
}

export interface ParameterPreview {
  readonly timezone: string;
  /** The version that was looked at; null for a draft. */
  readonly version: number | null;
  readonly nodes: readonly {
    readonly node: string;
    /** Neither it nor its workflow says times: it runs each day at midnight. */
    readonly defaultTimes: boolean;
    readonly parameters: readonly DeclaredParameter[];
    /** Their values are known only when the node starts, so no instance has them here. */
    readonly inputs: readonly PreviewedInput[];
    readonly instances: readonly PreviewedInstance[];
  }[];
  readonly nodeTotal: number;
}

interface Preview {
  readonly workflowId: number;
  readonly spec: WorkflowSpec;
  readonly zone: string;
  readonly outermost: Readonly<Record<string, string>>;
  readonly calendars: ReadonlyMap<string, BusinessCalendar>;
  readonly nodeIds: ReadonlyMap<string, number>;
  readonly from: CyclesFrom;
  readonly count: number;
}

/** The parameters that the next instances of each node would have; changes nothing. */
export async function previewParameters(
  sql: Sql,
  now: Date,
  options: ParameterPreviewOptions,
): Promise<ParameterPreview> {
  const { workspaceId, workflowId, of, node, bizdate, count } = options;
  const row = await workflowRow(sql, workspaceId, workflowId);
  const isLatest = of === 'latest';
  const spec = readSpec(isLatest ? (row.spec ?? row.draft) : of.draft);
  const nodes = spec.nodes.filter(({ id }) => node === undefined || id === node);
  if (node !== undefined && nodes.length === 0)
    throw new MillraceError('MR-A104', `There is no node ${node} in the workflow.`);
  const zone = (isLatest ? row.version_timezone : null) ?? spec.timezone ?? row.timezone;
  const preview: Preview = {
    workflowId,
    spec,
    zone,
    outermost: await workspaceParameters(sql, workspaceId),
    calendars: await calendarsOfSpec(sql, workspaceId, spec),
    nodeIds: await nodeIds(sql, workflowId),
    from: firstOf(isLatest ? row : undefined, zone, startOf(bizdate, now), now),
    count,
  };
  return {
    timezone: preview.zone,
    version: isLatest ? row.version : null,
    nodes: nodes.slice(0, MAX_NODES).map((each) => previewNode(each, preview)),
    nodeTotal: nodes.length,
  };
}

/** What is still to come of a version begins with the first day that it is planned for. */
function firstOf(
  row: WorkflowRow | undefined,
  zone: string,
  from: CyclesFrom,
  now: Date,
): CyclesFrom {
  const first = row?.first_bizdate ?? undefined;
  if ('bizdate' in from || first === undefined || first <= bizdateOf(now, zone)) return from;
  return { bizdate: parseBizdate(first) };
}

function previewNode(node: NodeSpec, preview: Preview): ParameterPreview['nodes'][number] {
  const { spec, zone, calendars, from, count } = preview;
  const parameters = declaredFor(node, preview);
  try {
    const written = nodeSchedule(node.schedule, spec.schedule);
    const schedule = cycleScheduleOf(written, zone, calendars);
    const instances = nextCycles(schedule, from, count).map((cycle) =>
      previewInstance(node, cycle, parameters, preview),
    );
    const defaultTimes = !hasTimes(written);
    return { node: node.id, defaultTimes, parameters, inputs: inputsOf(node), instances };
  } catch (cause) {
    const code = registeredCodeOf(cause);
    if (code === undefined || !(cause instanceof MillraceError)) throw cause;
    throw new MillraceError(code, `node ${node.id}: ${cause.detail}`, { cause });
  }
}

function inputsOf(node: NodeSpec): PreviewedInput[] {
  return Object.entries(node.inputs).map(([name, input]) => ({
    name,
    workflow: input.workflow ?? null,
    node: input.node,
    output: input.output,
    cycle: input.workflow === undefined && input.node === node.id ? 'previous' : input.cycle,
    pattern: input.pattern ?? null,
    default: input.default ?? null,
  }));
}

function declaredFor(node: NodeSpec, { spec, outermost }: Preview): DeclaredParameter[] {
  const declared = new Map<string, DeclaredParameter>();
  const levels = [
    ['workspace', outermost],
    ['workflow', spec.parameters],
    ['node', node.parameters],
  ] as const;
  for (const [level, parameters] of levels) {
    for (const [name, expression] of Object.entries(parameters))
      declared.set(name, { name, expression, level });
  }
  // An input is nearer than what the workflow or the workspace declares under its name.
  for (const name of Object.keys(node.inputs)) declared.delete(name);
  return [...declared.values()];
}

function previewInstance(
  node: NodeSpec,
  cycle: NextCycle,
  parameters: readonly DeclaredParameter[],
  { zone, workflowId, nodeIds: ids }: Preview,
): PreviewedInstance {
  const nodeId = ids.get(node.id);
  const base = {
    bizdate: cycle.bizdate,
    scheduledLocal: { ...cycle.local, fold: cycle.fold },
    zone,
    workflowId,
    ...(nodeId === undefined ? {} : { nodeId }),
  };
  const values: Record<string, string> = {};
  const errors: Record<string, string> = {};
  for (const { name, expression } of parameters) {
    try {
      Object.assign(values, evaluateDeclarations({ [name]: expression }, base));
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      errors[name] = error.detail;
    }
  }
  return { ...cycle, values, errors };
}

interface WorkflowRow {
  readonly draft: unknown;
  readonly timezone: string;
  readonly spec: unknown;
  readonly version: number | null;
  readonly version_timezone: string | null;
  readonly first_bizdate: string | null;
}

async function workflowRow(
  sql: Sql,
  workspaceId: number,
  workflowId: number,
): Promise<WorkflowRow> {
  const [row] = await sql.rows<WorkflowRow>(
    `SELECT w.draft, s.timezone, v.spec, v.version, v.timezone AS version_timezone, v.first_bizdate
       FROM workflow w JOIN workspace s ON s.id = w.workspace_id
       LEFT JOIN LATERAL (SELECT spec, version, timezone, first_bizdate FROM workflow_version
                           WHERE workflow_id = w.id ORDER BY version DESC LIMIT 1) v ON true
      WHERE w.workspace_id = $1 AND w.id = $2`,
    [workspaceId, workflowId],
  );
  if (row === undefined) throw new MillraceError('MR-A104', `There is no workflow ${workflowId}.`);
  return row;
}

/** Nodes that were submitted before; one that is new in a draft has no id yet. */
async function nodeIds(sql: Sql, workflowId: number): Promise<Map<string, number>> {
  const rows = await sql.rows<{ id: number; name: string }>(
    `SELECT id, name FROM node WHERE workflow_id = $1`,
    [workflowId],
  );
  return new Map(rows.map(({ id, name }) => [name, id]));
}
