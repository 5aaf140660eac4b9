import type { ApiClient } from './api/api-client.js';
import type { Flags } from './flags.js';
import type { CliIo } from './io.js';
import type { Printer } from './output/printer.js';
import type { Settings } from './settings.js';

export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** How the help names the value: `--bizdate DATE`. */
  readonly value?: string;
  /** The only values there are. */
  readonly choices?: readonly string[];
  /** What the shell offers for the value. */
  readonly completes?: Completes;
  readonly help: string;
}

/** Things whose names or ids the shell can ask the server for. */
export type Completes =
  'workflow' | 'instance' | 'dataSource' | 'alertRule' | 'calendar' | 'context' | 'command';

export interface CommandContext {
  readonly io: CliIo;
  /** What stands after the verb, without options. */
  readonly args: readonly string[];
  /** Every verb, for the commands that explain the others. */
  readonly commands: readonly Command[];
  readonly flags: Flags;
  readonly settings: Settings;
  readonly printer: Printer;
  /** Connects on first use: commands that need no server never ask for one. */
  api(): Promise<ApiClient>;
  /** Name of the workspace: the setting, or the only one there is. */
  workspace(): Promise<string>;
  /**
   * Asks on a terminal; without one, `--yes` is required. Throws when the answer is no. The question is
   * not made where nobody is asked.
   */
  confirm(question: () => Promise<string> | string): Promise<void>;
}

/** One verb. The words of `path` are what the user types: `instances ls`. */
export interface Command {
  readonly path: readonly string[];
  readonly summary: string;
  /** Positional arguments as the help shows them; `[X]` is optional, of `a|b` it is one. */
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly examples?: readonly string[];
  /** What the shell offers for the arguments that are not `a|b`. */
  readonly completes?: Completes;
  /** Resolves to the exit code. */
  run(ctx: CommandContext): Promise<number>;
}
