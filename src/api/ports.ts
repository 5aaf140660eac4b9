import type { PluginHost } from '../plugin-host/plugin-host.js';
import type { AlertChannels } from '../scheduler/alerts/alert-channels.js';
import type { Database } from '../store/database.js';
import type { LogStore } from '../store/log-store.js';
import type { SecretBox } from '../store/secret-box.js';
import type { WakeBus } from '../store/wake-bus.js';
import type { SchedulerCommands } from './commands.js';

/** The last success of one of this process's loops; `undefined` before the first. */
export interface LoopHealth {
  readonly name: string;
  readonly lastSuccessAt: Date | undefined;
}

/** Where errors that are not the caller's go. No row data, no credential. */
export interface ApiLogger {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Everything the api role needs from outside. */
export interface ApiPorts {
  readonly database: Database;
  readonly wakeBus: WakeBus;
  readonly secretBox: SecretBox;
  /** Where run logs of ended attempts lie; absent: all are rows. */
  readonly logStore?: LogStore;
  readonly plugins: PluginHost;
  readonly commands: SchedulerCommands;
  readonly alertChannels: AlertChannels;
  readonly logger: ApiLogger;
  readonly version: string;
  /** Loops of other roles in this process, for `/readyz`. */
  readonly loops?: () => readonly LoopHealth[];
  /** Opens `/metrics` besides API tokens. */
  readonly metricsToken?: string;
  /** How often the sessions and roles behind open sockets are checked; 30 s unless given. */
  readonly accessCheckMs?: number;
}

export const API_PORTS = Symbol('ApiPorts');
