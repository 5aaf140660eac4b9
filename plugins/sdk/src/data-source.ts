import type { ConfigSchema } from './schema.js';
import type { TableSchema } from './table.js';

export const CONNECTIVITY_STEPS = ['dns', 'tcp', 'tls', 'login', 'version', 'privileges'] as const;

/** One step of a connectivity test, in the order of {@link CONNECTIVITY_STEPS}; file systems have fewer. */
export interface ConnectivityStep {
  readonly step: (typeof CONNECTIVITY_STEPS)[number] | 'path';
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  /** What was found, e.g. the resolved addresses or the server's version. No credential. */
  readonly detail: string;
  readonly code?: string;
  readonly elapsedMs: number;
}

/** What the wizard asks of a data source. Names are the server's own spelling. */
export type BrowseRequest =
  | { readonly kind: 'schemas' }
  | {
      readonly kind: 'tables';
      readonly schema?: string;
      readonly like?: string;
      readonly limit: number;
    }
  | { readonly kind: 'table'; readonly schema?: string; readonly table: string }
  | {
      readonly kind: 'sample';
      readonly schema?: string;
      readonly table: string;
      readonly limit: number;
    };

export type BrowseAnswer =
  | { readonly kind: 'schemas'; readonly schemas: readonly string[] }
  | {
      readonly kind: 'tables';
      readonly tables: readonly { readonly name: string; readonly rows?: number }[];
    }
  | { readonly kind: 'table'; readonly schema: TableSchema }
  | {
      readonly kind: 'sample';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly (string | null)[])[];
    };

export interface InteractiveContext {
  readonly signal: AbortSignal;
}

/** A kind of system that can be named as a data source. Fields with `secret` are stored encrypted. */
export interface DataSourceType<C = never> {
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly config: ConfigSchema<C>;
  readonly configVersion: number;
  /** Lifts a stored configuration of an older `configVersion`. */
  upgrade?(config: unknown, from: number): unknown;
  readonly examples: readonly unknown[];
  /** Reads `jdbc:…://host:port/database`; throws a PluginError that says what is wrong with it. */
  parseUrl?(url: string): Partial<C>;
  /** Yields each step as it ends; ends after the first failed one, and never throws for a failed step. */
  testConnectivity(config: C, ctx: InteractiveContext): AsyncIterable<ConnectivityStep>;
  browse?(config: C, request: BrowseRequest, ctx: InteractiveContext): Promise<BrowseAnswer>;
  /**
   * Of these partitions of a table, as nodes declare their outputs (`ds=20261101`; empty: the whole table),
   * those that are there now. All are asked for in one call, up to thousands: look for them in one statement.
   * What is not in the answer is made again by a backfill of what is missing: throw a PluginError for whatever
   * keeps you from looking, and answer nothing only where the system itself says that nothing is there.
   */
  presentPartitions?(
    config: C,
    table: string,
    partitions: readonly string[],
    ctx: InteractiveContext,
  ): Promise<readonly string[]>;
}
