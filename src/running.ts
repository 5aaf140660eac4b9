import type { Config } from './config/load-config.js';
import type { PluginHost } from './plugin-host/plugin-host.js';
import type { Logger } from './telemetry/logger.js';

/** What a role is started with. */
export interface RoleContext {
  readonly config: Config;
  /** Loads the plugins; a scheduler never asks. */
  readonly openPlugins: () => Promise<PluginHost>;
  readonly logger: Logger;
  readonly crashPoint: CrashPoint;
}

export type StartRole = (context: RoleContext) => Promise<Running>;

/** What a role has started. */
export interface Running {
  /** Where the api listens. */
  readonly port?: number;
  close(): Promise<void>;
}

/** A named point of the line where a fault test may end this process. */
export type CrashPoint = (name: string) => Promise<void>;
