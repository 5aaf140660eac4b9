import type { ResolvedDataSource, RunContext } from './run.js';
import type { ConfigSchema } from './schema.js';

export interface NodeContext extends RunContext {
  /** The data source the configuration names; throws MR-D110 for a name `dataSourcesOf` did not list. */
  dataSource<C>(name: string): ResolvedDataSource<C>;
  /** An empty folder of this attempt alone, removed when it ends. */
  readonly workDir: string;
}

export interface NodeResult {
  /** Values later nodes may use as parameters. */
  readonly outputs?: Readonly<Record<string, string>>;
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
  /** Names of the data sources this configuration needs; the attempt gets these and no others. */
  dataSourcesOf(config: C): readonly string[];
  run(config: C, ctx: NodeContext): Promise<NodeResult>;
}
