import type { BusinessCalendar } from '../domain/calendar/business-calendar.js';
import { lastBizdate } from '../domain/calendar/bizdate.js';
import { cyclesOf } from '../domain/calendar/cycles-of.js';
import type { RegisteredCode } from '../domain/error-registry.js';
import { type FieldError, MillraceError, registeredCodeOf } from '../domain/errors.js';
import { checkGraph } from '../domain/graph/check-graph.js';
import { evaluateDeclarations, parseDeclarations } from '../domain/params/declarations.js';
import { substitute } from '../domain/params/substitute.js';
import { configErrors, substituteTemplates } from '../plugin-host/config-fields.js';
import { type PluginHost, SYNC_NODE_TYPE } from '../plugin-host/plugin-host.js';
import { SYNC_OUTPUTS, syncDataSources } from '../plugin-host/sync-config.js';
import type { DependencyProblem, ForeignNodes } from './check-dependencies.js';
import { inputProblems } from './check-inputs.js';
import { needsOf } from './needs-of.js';
import { cycleScheduleOf, hasTimes, nodeSchedule } from './schedule-spec.js';
import {
  namedOutputsOf,
  type NodeSpec,
  tableOutputsOf,
  type WorkflowSpec,
} from './workflow-spec.js';

export interface CheckContext {
  readonly plugins: PluginHost;
  readonly timezone: string;
  readonly now: Date;
  /** Types of the data sources there are, by name. */
  readonly dataSources: ReadonlyMap<string, string>;
  /** Needs may name the own workflow too. */
  readonly workflowName: string;
  /** What the look at other workflows has found. */
  readonly dependencyProblems: readonly DependencyProblem[];
  /** The upstreams in other workflows. */
  readonly foreign: ForeignNodes;
  /** The resource groups there are, by name. */
  readonly resourceGroups: ReadonlyMap<string, GroupSlots>;
  /** The business calendars there are, by name. */
  readonly calendars: ReadonlyMap<string, BusinessCalendar>;
  /** Declarations of the workspace, which those of the workflow and its nodes replace. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface GroupSlots {
  readonly slots: number;
  /** It has scheduling slots. */
  readonly schedules: boolean;
}

/** What submitting learned of each node, by node name. */
interface CheckedNode {
  readonly dataSources: readonly string[];
  /** Its type does nothing: it needs no slot and no worker. */
  readonly isZeroLoad: boolean;
}

export type CheckedNodes = ReadonlyMap<string, CheckedNode>;

/**
 * Everything that must be right before a workflow becomes a version. Throws one error that lists every
 * wrong field; its code is that of the first.
 */
export async function checkWorkflow(
  spec: WorkflowSpec,
  context: CheckContext,
): Promise<CheckedNodes> {
  const problems = new Problems();
  checkNames(spec, context.workflowName, problems);
  problems.catch('/nodes', () => checkOwnGraph(spec, context.workflowName));
  for (const { code, pointer, detail } of context.dependencyProblems) {
    problems.add(code, pointer, detail);
  }
  const { plugins, workflowName, foreign } = context;
  const isZeroLoad = ({ type }: NodeSpec): boolean =>
    plugins.has('node', type) && plugins.node(type).effect === 'none';
  const producedBy = (node: NodeSpec): readonly string[] | undefined =>
    producedNames(node, plugins);
  for (const { code, pointer, detail } of inputProblems(spec, {
    workflowName,
    foreign,
    producedBy,
    isZeroLoad,
  })) {
    problems.add(code, pointer, detail);
  }
  checkSchedule(spec.schedule, '/schedule', context, problems);
  const checked = new Map<string, CheckedNode>();
  for (const [index, node] of spec.nodes.entries()) {
    const pointer = `/nodes/${index}`;
    checkNodeSchedule(spec, node, `${pointer}/schedule`, context, problems);
    checkGroup(node, pointer, context, problems);
    checkSchedulingGroup(node, pointer, { ...context, isZeroLoad: isZeroLoad(node) }, problems);
    const dataSources = await checkConfig(spec, node, pointer, context, problems);
    checked.set(node.id, { dataSources, isZeroLoad: isZeroLoad(node) });
  }
  problems.throwIfAny();
  return checked;
}

/** Names that runs of the node can produce; undefined: any, or its type is not there. */
function producedNames(node: NodeSpec, plugins: PluginHost): readonly string[] | undefined {
  if (node.type === SYNC_NODE_TYPE) return SYNC_OUTPUTS;
  if (!plugins.has('node', node.type)) return undefined;
  const { effect, produces } = plugins.node(node.type);
  return effect === 'none' ? [] : produces;
}

/** MR-S108 and MR-S101 for the dependencies within the workflow. */
export function checkOwnGraph(spec: WorkflowSpec, workflowName: string): void {
  const nodes = spec.nodes.map((node) => node.id);
  const own = spec.nodes.flatMap((node) =>
    needsOf(node, workflowName)
      .filter(({ workflow }) => workflow === undefined)
      .map(({ node: from, cycle }) => ({ from, to: node.id, cycle })),
  );
  const known = new Set(nodes);
  // Across cycles a path may come back to where it began: only the names have to be there.
  const unknown = own.filter(({ from, cycle }) => cycle === 'previous' && !known.has(from));
  checkGraph(nodes, [...own.filter(({ cycle }) => cycle === 'same'), ...unknown]);
}

function checkNames(spec: WorkflowSpec, workflowName: string, problems: Problems): void {
  const seen = new Set<string>();
  for (const [index, node] of spec.nodes.entries()) {
    if (seen.has(node.id)) {
      problems.add('MR-A101', `/nodes/${index}/id`, `"${node.id}" is the name of two nodes.`);
    }
    seen.add(node.id);
    const listed = new Set<string>();
    for (const { workflow, node: upstream, cycle } of needsOf(node, workflowName)) {
      const name = workflow === undefined ? upstream : `${workflow}/${upstream}`;
      const twice = `${cycle} ${name}`;
      if (listed.has(twice)) {
        problems.add('MR-A101', `/nodes/${index}/needs`, `"${name}" is listed twice.`);
      }
      listed.add(twice);
      if (cycle === 'previous' && name === node.id) {
        const detail = `"${name}" waits for its own previous cycle: that is selfDependence: true.`;
        problems.add('MR-A101', `/nodes/${index}/needs`, detail);
      }
    }
  }
}

function checkSchedule(
  schedule: WorkflowSpec['schedule'],
  at: string,
  context: CheckContext,
  problems: Problems,
): void {
  const { effectiveFrom: _from, effectiveTo: _to, calendar: _calendar, ...form } = schedule;
  const field = schedule.period === undefined ? 'cron' : 'period';
  problems.catch(`${at}/${field}`, () =>
    cyclesOf({ ...form, zone: context.timezone }, lastBizdate(context.now, context.timezone)),
  );
  problems.catch(at, () => cycleScheduleOf(schedule, context.timezone, context.calendars));
}

/** Only what the node says itself: what is wrong with its workflow's schedule is told there. */
function checkNodeSchedule(
  { schedule: workflow }: WorkflowSpec,
  { schedule: own }: NodeSpec,
  at: string,
  context: CheckContext,
  problems: Problems,
): void {
  if (own === undefined) return;
  const { effectiveFrom, effectiveTo, calendar, ...times } = nodeSchedule(own, workflow);
  const hasDays = typeof (own.effectiveFrom ?? own.effectiveTo) === 'string';
  const written = {
    ...(hasTimes(own) ? times : { dstPolicy: times.dstPolicy }),
    ...(hasDays ? { effectiveFrom, effectiveTo } : {}),
    ...(typeof own.calendar === 'string' ? { calendar } : {}),
  };
  checkSchedule(written, at, context, problems);
}

function checkGroup(
  node: NodeSpec,
  pointer: string,
  context: CheckContext,
  problems: Problems,
): void {
  const slots = context.resourceGroups.get(node.resourceGroup)?.slots;
  if (slots === undefined) {
    problems.add('MR-S142', `${pointer}/resourceGroup`, noGroup(node.resourceGroup, context));
  } else if (node.slots > slots) {
    problems.add(
      'MR-S103',
      `${pointer}/slots`,
      `The node wants ${node.slots} slots; its group "${node.resourceGroup}" has ${slots}.`,
    );
  }
}

/** MR-S195: where nothing counts the slots, an instance would wait for ever, or for nothing. */
function checkSchedulingGroup(
  { schedulingGroup: name }: NodeSpec,
  pointer: string,
  context: Pick<CheckContext, 'resourceGroups'> & { readonly isZeroLoad: boolean },
  problems: Problems,
): void {
  if (name === undefined) return;
  const at = `${pointer}/schedulingGroup`;
  const group = context.resourceGroups.get(name);
  if (group === undefined) problems.add('MR-S142', at, noGroup(name, context));
  else if (!group.schedules)
    problems.add('MR-S195', at, `The resource group "${name}" has no scheduling slots.`);
  else if (context.isZeroLoad)
    problems.add('MR-S195', at, 'The node takes no slot: its type does nothing on a worker.');
}

function noGroup(name: string, { resourceGroups }: Pick<CheckContext, 'resourceGroups'>): string {
  return `There is no resource group "${name}"; there are: ${[...resourceGroups.keys()].join(', ')}.`;
}

async function checkConfig(
  spec: WorkflowSpec,
  node: NodeSpec,
  pointer: string,
  context: CheckContext,
  problems: Problems,
): Promise<readonly string[]> {
  const { plugins } = context;
  if (node.type !== SYNC_NODE_TYPE && !plugins.has('node', node.type)) {
    const types = [SYNC_NODE_TYPE, ...plugins.types('node')].join(', ');
    problems.add('MR-S102', `${pointer}/type`, `"${node.type}" is not one of ${types}.`);
    return [];
  }
  const names =
    node.type === SYNC_NODE_TYPE ? syncNames(node) : await nodeDataSources(plugins, node);
  if (names === undefined) {
    const schema = node.type === SYNC_NODE_TYPE ? undefined : plugins.schemaOf('node', node.type);
    const errors = schema === undefined ? [] : await configErrors(schema, node.config);
    for (const error of errors) {
      problems.add('MR-S103', `${pointer}/config${error.pointer}`, error.detail);
    }
    if (schema === undefined) {
      problems.add(
        'MR-S103',
        `${pointer}/config`,
        'A sync node needs source.dataSource and target.dataSource.',
      );
    }
    return [];
  }
  const known = checkDataSources(names, pointer, context, problems);
  if (known === undefined) return names;
  const schema =
    node.type === SYNC_NODE_TYPE
      ? problems.catch(`${pointer}/config`, () =>
          plugins.syncSchema(known[0] ?? '', known[1] ?? ''),
        )
      : plugins.schemaOf('node', node.type);
  if (schema === undefined) return names;
  for (const error of await configErrors(schema, node.config)) {
    problems.add('MR-S103', `${pointer}/config${error.pointer}`, error.detail);
  }
  checkParameters(spec, node, pointer, context, problems, (replace) => {
    substituteTemplates(node.config, schema, replace);
  });
  return names;
}

function syncNames(node: NodeSpec): readonly string[] | undefined {
  const ends = syncDataSources(node.config);
  return ends === undefined ? undefined : [ends.source, ends.target];
}

async function nodeDataSources(
  plugins: PluginHost,
  node: NodeSpec,
): Promise<readonly string[] | undefined> {
  const type = plugins.node(node.type);
  const parsed = await type.config['~standard'].validate(node.config);
  return parsed.issues === undefined ? type.dataSourcesOf(parsed.value) : undefined;
}

/** The types of the named data sources, or `undefined` when one is missing. */
function checkDataSources(
  names: readonly string[],
  pointer: string,
  context: CheckContext,
  problems: Problems,
): readonly string[] | undefined {
  const missing = names.filter((name) => !context.dataSources.has(name));
  for (const name of missing) {
    problems.add('MR-S104', `${pointer}/config`, `There is no data source "${name}".`);
  }
  return missing.length > 0 ? undefined : names.map((name) => context.dataSources.get(name) ?? '');
}

/** Runs every expression once, for the last business date: what fails now would fail at night. */
function checkParameters(
  spec: WorkflowSpec,
  node: NodeSpec,
  pointer: string,
  context: CheckContext,
  problems: Problems,
  eachTemplate: (replace: (code: string, at: string) => string) => void,
): void {
  const base = {
    bizdate: lastBizdate(context.now, context.timezone),
    scheduledLocal: { date: lastBizdate(context.now, context.timezone), time: '00:00:00' },
    zone: context.timezone,
    workflowId: 1,
    nodeId: 1,
    instanceId: 1,
  } as Parameters<typeof substitute>[2];
  const values = problems.catch(`${pointer}/parameters`, () =>
    evaluateDeclarations(
      parseDeclarations({ ...context.parameters, ...spec.parameters, ...node.parameters }),
      base,
    ),
  );
  if (values === undefined) return;
  // What they will be is known when the node starts.
  const inputs = Object.fromEntries(Object.keys(node.inputs).map((name) => [name, '0']));
  const atStart = { ...values, ...inputs };
  eachTemplate((code, at) => {
    problems.catch(`${pointer}/config${at}`, () => substitute(code, atStart, base));
    return code;
  });
  for (const { no, value } of namedOutputsOf(node)) {
    problems.catch(`${pointer}/outputs/${no}/value`, () => substitute(value ?? '', atStart, base));
  }
  // Partitions are planned ahead, so an input cannot be part of one.
  const ahead = Object.fromEntries(Object.entries(values).filter(([name]) => !(name in inputs)));
  for (const { no, partition } of tableOutputsOf(node)) {
    problems.catch(`${pointer}/outputs/${no}/partition`, () => substitute(partition, ahead, base));
  }
}

/** Collects what is wrong, so that the user sees all of it at once. */
class Problems {
  readonly #errors: FieldError[] = [];
  #code: RegisteredCode | undefined;

  add(code: RegisteredCode, pointer: string, detail: string): void {
    this.#code ??= code;
    this.#errors.push({ pointer, detail });
  }

  /** Runs `check`; an error of the registry becomes a problem at `pointer`, any other one is thrown. */
  catch<T>(pointer: string, check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      const code = registeredCodeOf(error);
      if (code === undefined || !(error instanceof Error)) throw error;
      const detail = 'detail' in error ? String(error.detail) : error.message;
      this.add(code, pointer, detail);
      return undefined;
    }
  }

  throwIfAny(): void {
    if (this.#code === undefined) return;
    const list = this.#errors
      .slice(0, 20)
      .map((error) => `${error.pointer}: ${error.detail}`)
      .join('\n');
    const rest = this.#errors.length > 20 ? `\n… and ${this.#errors.length - 20} more` : '';
    throw new MillraceError(this.#code, list + rest, { errors: this.#errors });
  }
}
