import { nearestName } from '../config/spelling.js';
import type { FieldError } from '../domain/errors.js';
import { EXIT, type ExitCode } from './exit-code.js';

export interface CliErrorOptions {
  readonly exitCode: ExitCode;
  /** One sentence that says what to do next; printed after `fix:`. */
  readonly fix: string;
  readonly errors?: readonly FieldError[];
  readonly traceId?: string;
  readonly cause?: unknown;
}

/** A failure the command ends with: one line of what went wrong, one line of what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly fix: string;
  readonly errors: readonly FieldError[];
  readonly traceId: string | undefined;

  constructor(message: string, options: CliErrorOptions) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode;
    this.fix = options.fix;
    this.errors = options.errors ?? [];
    this.traceId = options.traceId;
  }
}

/** ` Did you mean …?` where something known is written alike; empty otherwise. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearestName(word, known);
  return near === undefined ? '' : ` Did you mean ${near}?`;
}

/** The command line is wrong: exit 2. */
export function usageError(message: string, fix: string): CliError {
  return new CliError(message, { exitCode: EXIT.usage, fix });
}
