import { nearestName } from '../config/spelling.js';
import type { RegisteredCode } from '../domain/error-registry.js';
import type { FieldError, MillraceError } from '../domain/errors.js';
import { checkOutsideValue } from '../domain/params/check-outside-value.js';
import type { ForeignNodes } from './check-dependencies.js';
import { needsOf, selfDependenceOf } from './needs-of.js';
import { type NodeSpec, namedOutputsOf, type WorkflowSpec } from './workflow-spec.js';

export interface InputProblem extends FieldError {
  readonly code: RegisteredCode;
}

/** What the check has to know beside the draft. */
export interface InputContext {
  readonly workflowName: string;
  /** Upstreams in other workflows. */
  readonly foreign: ForeignNodes;
  /** Names that runs of this node can produce; undefined: any. */
  readonly producedBy: (node: NodeSpec) => readonly string[] | undefined;
  readonly isZeroLoad: (node: NodeSpec) => boolean;
}

type Inputs = NodeSpec['inputs'];
type Input = Inputs[string];

/** What is wrong with the inputs and named outputs of a draft, by where it is written. */
export function inputProblems(spec: WorkflowSpec, context: InputContext): InputProblem[] {
  const nodes = new Map(spec.nodes.map((node) => [node.id, node]));
  return spec.nodes.flatMap((node, index) => {
    const at = `/nodes/${index}`;
    return [
      ...outputProblems(node, at, context),
      ...Object.entries(node.inputs).flatMap(([name, input]) => {
        const pointer = `${at}/inputs/${name}`;
        const problem =
          declarationProblem(name, input, node, context) ?? upstreamProblem(input, nodes, context);
        return problem === undefined ? [] : [{ ...problem, pointer }];
      }),
    ];
  });
}

type Problem = Pick<InputProblem, 'code' | 'detail'>;

function outputProblems(node: NodeSpec, at: string, context: InputContext): InputProblem[] {
  const seen = new Set<string>();
  return namedOutputsOf(node).flatMap(({ no, name, value, from }) => {
    const pointer = `${at}/outputs/${no}`;
    const wrong = (detail: string): InputProblem[] => [{ code: 'MR-S183', pointer, detail }];
    if (seen.has(name)) return wrong(`"${name}" is the name of two outputs.`);
    seen.add(name);
    if (value !== undefined)
      return from === undefined ? [] : wrong(`"${name}" has both a value and a "from".`);
    const produced = context.producedBy(node);
    const produces = from ?? name;
    if (produced === undefined || produced.includes(produces)) return [];
    const there =
      produced.length === 0 ? 'they produce none' : `they produce ${produced.join(', ')}`;
    return wrong(`Runs of a ${node.type} node produce no "${produces}"; ${there}.`);
  });
}

function declarationProblem(
  name: string,
  { pattern, default: fallback, cycle, ...input }: Input,
  node: NodeSpec,
  context: InputContext,
): Problem | undefined {
  const wrong = (detail: string): Problem => ({ code: 'MR-S183', detail });
  if (context.isZeroLoad(node)) {
    return wrong(
      `A ${node.type} node never starts, so it gets no inputs: let its downstream take it.`,
    );
  }
  if (Object.hasOwn(node.parameters, name)) {
    return wrong(`"${name}" is a parameter of the node already.`);
  }
  try {
    if (pattern !== undefined || fallback !== undefined)
      checkOutsideValue(name, fallback ?? '', ...(pattern === undefined ? [] : [pattern]));
  } catch (error) {
    const { code, detail } = error as MillraceError;
    // A pattern that takes no empty text is a good one.
    if (code !== 'MR-S109' || fallback !== undefined) return { code, detail };
  }
  if (isSelf(input, node, context)) {
    return selfDependenceOf(node).selfDependent
      ? undefined
      : wrong('Only with selfDependence a node can take an output of its own previous cycle.');
  }
  const isNeeded = needsOf(node, context.workflowName).some(
    (need) =>
      need.node === input.node &&
      need.cycle === cycle &&
      (need.workflow ?? context.workflowName) === (input.workflow ?? context.workflowName),
  );
  if (isNeeded) return undefined;
  return wrong(`"${input.node}" is not among the needs of the node in the ${cycle} cycle.`);
}

/** A node's own previous cycle. */
export function isSelf(
  input: Pick<Input, 'workflow' | 'node'>,
  node: Pick<NodeSpec, 'id'>,
  { workflowName }: Pick<InputContext, 'workflowName'>,
): boolean {
  return input.node === node.id && (input.workflow ?? workflowName) === workflowName;
}

function upstreamProblem(
  { workflow, node, output }: Input,
  nodes: ReadonlyMap<string, NodeSpec>,
  { workflowName, foreign }: InputContext,
): Problem | undefined {
  const isOwn = workflow === undefined || workflow === workflowName;
  const own = nodes.get(node);
  const names = isOwn
    ? own && namedOutputsOf(own).map(({ name }) => name)
    : foreign.get(`${workflow}/${node}`)?.outputs;
  // A node that is not there is the problem of its need.
  if (names === undefined || names === null || names.includes(output)) return undefined;
  const near = nearestName(output, names);
  const offer = near === undefined ? '' : ` Did you mean "${near}"?`;
  const declared = names.length === 0 ? 'It declares none.' : `It declares ${names.join(', ')}.`;
  const what = isOwn ? node : `${workflow}/${node}`;
  return {
    code: 'MR-S180',
    detail: `"${what}" declares no output "${output}". ${declared}${offer}`,
  };
}
