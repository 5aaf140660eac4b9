import type { Outputs } from './output.js';
import type { ResolvedDataSource, RunContext } from './run.js';
import type { ConfigSchema } from './schema.js';

export interface NodeContext extends RunContext {
  /** The data source the configuration names; throws MR-D110 for a name `dataSourcesOf` did not list. */
  dataSource<C>(name: string): ResolvedDataSource<C>;
  /** An empty folder of this attempt alone, removed when it ends. */
  readonly workDir: string;
  /** Names of the outputs that the node declares of this run: what nobody asks for need not be produced. */
  readonly outputs: readonly string[];
  /**
   * Keeps the outputs of a run that is about to commit. A node that finds its work done by an earlier
   * attempt of the run returns none, and those of that attempt count. Throws MR-S182 as `checkOutputs` does.
   */
  keepOutputs(outputs: Outputs): Promise<void>;
}

export interface NodeResult {
  /** Values that downstream nodes may take as parameters. */
  readonly outputs?: Outputs;
  readonly rows?: number;
}

export interface NodeType<C = never> {
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly config: ConfigSchema<C>;
  readonly configVersion: number;
  upgrade?(config: unknown, from: number): unknown;
  readonly examples: readonly unknown[];
  /**
   * `exactly-once`: fenced, its effect and its ledger row commit together. `none`: it does nothing, so it
   * needs no slot and its `run` is never called. Shown to the user.
   */
  readonly effect: 'exactly-once' | 'at-least-once' | 'none';
  /** Names of the outputs its runs can produce; absent: any, they are known when it runs. */
  readonly produces?: readonly string[];
  /** Names of the data sources this configuration needs; the attempt gets these and no others. */
  dataSourcesOf(config: C): readonly string[];
  run(config: C, ctx: NodeContext): Promise<NodeResult>;
}
