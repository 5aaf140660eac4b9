import type { ColumnVerdict, Finding, RunContext } from '@millrace/sdk';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import type { PolicyCount } from './value-policies.js';

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Writes what was found to the run log. Throws the first error among it, with the words of all. */
export function reportFindings(findings: readonly Finding[], context: RunContext): void {
  for (const { level, message } of findings) {
    if (level === 'warning') context.log.warn(message);
    if (level === 'info') context.log.info(message);
  }
  const errors = findings.filter((finding) => finding.level === 'error');
  if (errors.length === 0) return;
  const code = errors.map(registeredCodeOf).find((each) => each !== undefined) ?? 'MR-D208';
  throw new MillraceError(code, errors.map((finding) => finding.message).join('; '));
}

/** Writes what is not exact to the run log. Throws MR-D208 for what no column can hold. */
export function reportVerdicts(verdicts: readonly ColumnVerdict[], context: RunContext): void {
  const line = (v: ColumnVerdict): string =>
    `${v.source} -> ${v.target}: ${v.verdict}${v.reason === undefined ? '' : ` (${v.reason})`}`;
  for (const verdict of verdicts) {
    if (verdict.verdict !== 'exact') context.log.info(`Column ${line(verdict)}`);
  }
  const impossible = verdicts.filter((v) => v.verdict === 'impossible');
  if (impossible.length > 0) {
    throw new MillraceError('MR-D208', impossible.map(line).join('; '));
  }
}

/** The closing block of the run log. */
export function reportEnd(
  summary: readonly string[],
  applied: readonly PolicyCount[],
  { log }: RunContext,
): void {
  for (const line of summary) log.info(line);
  for (const { policy, column, count } of applied) {
    log.info(`Policy ${policy} applied in column ${column}: ${count} values`);
  }
}
