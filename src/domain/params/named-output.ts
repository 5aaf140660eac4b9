import { MillraceError } from '../errors.js';
import { checkOutsideValue } from './check-outside-value.js';
import type { ParameterBase } from './evaluate-expression.js';
import { substitute } from './substitute.js';

/** What a node declares to leave for its downstreams: a text of its parameters, or what its runs produce. */
export type NamedOutput =
  | { readonly name: string; readonly value: string }
  | {
      readonly name: string;
      /** The name under which its runs produce it. */
      readonly from: string;
    };

/** What one run has produced, by the names under which it did. */
export type ProducedOutputs = Readonly<Record<string, string>>;

/** A parameter of a node whose value is an output of an upstream. */
export interface NodeInput {
  readonly name: string;
  /** The upstream. */
  readonly nodeId: number;
  readonly output: string;
  /** Which edge leads to the upstream's cycle. */
  readonly cycle: 'same' | 'previous';
  /** All of the value must fit it; absent: the default pattern of values from outside. */
  readonly pattern?: string;
  /** Taken when the upstream has left nothing. */
  readonly default?: string;
}

/** One cycle of an upstream, as its downstream finds it. */
export interface UpstreamRun {
  /** `workflow/node`. */
  readonly name: string;
  /** Of the version it was planned with. */
  readonly declared: readonly NamedOutput[];
  readonly isSucceeded: boolean;
  readonly isDryRun: boolean;
  /** Parameters it was planned with, and the inputs of its last run. */
  readonly values: Readonly<Record<string, string>>;
  readonly base: ParameterBase;
  /** What its last run has produced; null: that run has no attempt that succeeded. */
  readonly produced: ProducedOutputs | null;
}

export type ResolvedInput =
  | { readonly kind: 'output'; readonly value: string }
  | { readonly kind: 'default'; readonly value: string; readonly reason: string };

/**
 * The value of an input; `upstream` is undefined when no cycle of it can be found. Throws MR-S181 naming
 * upstream and output when there is none and no default, MR-S109 when it does not fit the pattern.
 */
export function resolveInput(input: NodeInput, upstream: UpstreamRun | undefined): ResolvedInput {
  const found = outputOf(input, upstream);
  const pattern = input.pattern === undefined ? [] : [input.pattern];
  if ('value' in found) {
    const value = checkOutsideValue(input.name, found.value, ...pattern);
    return { kind: 'output', value };
  }
  if (input.default !== undefined)
    return { kind: 'default', value: input.default, reason: found.missing };
  throw new MillraceError('MR-S181', `parameter ${input.name}: ${found.missing}`);
}

function outputOf(
  { output }: NodeInput,
  upstream: UpstreamRun | undefined,
): { readonly value: string } | { readonly missing: string } {
  if (upstream === undefined) {
    const missing = `no cycle of the upstream of output "${output}" is there to take it from`;
    return { missing };
  }
  const what = `output "${output}" of ${upstream.name}`;
  const declared = upstream.declared.find(({ name }) => name === output);
  if (declared === undefined) {
    return { missing: `${what}: the version it was planned with does not declare it` };
  }
  if ('value' in declared) return valueOf(declared.value, what, upstream);
  if (upstream.isDryRun) return { missing: `${what}: it was a dry run and produced nothing` };
  if (!upstream.isSucceeded) return { missing: `${what}: it has not succeeded` };
  if (upstream.produced === null) {
    return { missing: `${what}: it was set to success and produced nothing` };
  }
  const value = Object.hasOwn(upstream.produced, declared.from)
    ? upstream.produced[declared.from]
    : undefined;
  return value === undefined
    ? { missing: `${what}: its run produced no "${declared.from}"` }
    : { value };
}

function valueOf(
  text: string,
  what: string,
  { values, base }: UpstreamRun,
): { readonly value: string } | { readonly missing: string } {
  try {
    return { value: substitute(text, values, base) };
  } catch (error) {
    // An input of its own that it was never given: it did not run.
    if (!(error instanceof MillraceError)) throw error;
    return { missing: `${what}: ${error.detail}` };
  }
}
