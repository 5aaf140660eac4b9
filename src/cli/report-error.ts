import { ERRORS } from '../domain/error-registry.js';
import { registeredCodeOf } from '../domain/errors.js';
import { CliError } from './cli-error.js';
import { EXIT, exitCodeOfRegistryCode } from './exit-code.js';
import type { CliIo } from './io.js';

/** Writes what went wrong and what to do, and returns the exit code. */
export function reportError(error: unknown, io: CliIo, debug: boolean): number {
  const { message, fix, exitCode, lines } = describe(error);
  io.stderr(`error: ${message}\n`);
  for (const line of lines) io.stderr(`  ${line}\n`);
  io.stderr(`fix: ${fix}\n`);
  if (debug) {
    if (error instanceof CliError && error.traceId !== undefined) {
      io.stderr(`trace: ${error.traceId}\n`);
    }
    for (let at = error; at instanceof Error; at = at.cause)
      io.stderr(`${at.stack ?? at.message}\n`);
  }
  return exitCode;
}

interface Description {
  readonly message: string;
  readonly fix: string;
  readonly exitCode: number;
  readonly lines: readonly string[];
}

/** The fields that the message itself does not list already. */
function untold({ message, errors }: CliError): string[] {
  const told = message.split(/\n|; /);
  return errors
    .map(({ pointer, detail }) => `${pointer}: ${detail}`)
    .filter((line) => !told.some((each) => each === line || each.endsWith(`: ${line}`)));
}

function describe(error: unknown): Description {
  if (error instanceof CliError) {
    return {
      message: error.message,
      fix: error.fix,
      exitCode: error.exitCode,
      lines: untold(error),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = registeredCodeOf(error);
  if (code !== undefined) {
    return { message, fix: ERRORS[code].help, exitCode: exitCodeOfRegistryCode(code), lines: [] };
  }
  return { message, fix: 'Repeat it with --debug.', exitCode: EXIT.failed, lines: [] };
}
