import { z } from 'zod';

import { CliError } from '../cli-error.js';
import { exitCodeOfStatus } from '../exit-code.js';

/** RFC 9457, with our code and what to do. */
export const problemSchema = z.looseObject({
  title: z.string().default('The server refused the request'),
  detail: z.string().default(''),
  code: z.string().optional(),
  help: z.string().optional(),
  traceId: z.string().optional(),
  errors: z.array(z.looseObject({ pointer: z.string(), detail: z.string() })).default([]),
});

/** The error of an answer that is not 2xx: an RFC 9457 problem, or whatever a proxy put in its place. */
export async function problemOf(response: Response, what: string): Promise<CliError> {
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = problemSchema.safeParse(body);
  if (!parsed.success) {
    return new CliError(`${what}: HTTP ${response.status} ${response.statusText}`.trimEnd(), {
      exitCode: exitCodeOfStatus(response.status),
      fix: 'Check that --server is the address of a Millrace server.',
    });
  }
  return problemError(parsed.data, response.status);
}

/** `given`: a problem, or as much of it as there is. */
export function problemError(
  given: Readonly<z.input<typeof problemSchema>>,
  status: number,
): CliError {
  const { title, detail, code, help, traceId, errors } = problemSchema.parse(given);
  const head = code === undefined ? title : `${code} ${title}`;
  return new CliError(detail === '' ? head : `${head}: ${detail}`, {
    exitCode: exitCodeOfStatus(status, code),
    fix: help ?? 'Look at the log of the api process.',
    errors,
    ...(traceId === undefined ? {} : { traceId }),
  });
}
