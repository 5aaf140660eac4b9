import type { TestOutcome } from '../api/data-source.js';
import { renderTable } from './table.js';

const COLORS: Readonly<Record<string, string>> = {
  ok: '32',
  warning: '33',
  failed: '31',
  skipped: '90',
};

/** The steps of a connectivity test, its outcome, and after a failure the addresses to allow. */
export function renderTestOutcome(outcome: TestOutcome, color: boolean): string {
  const { steps, error } = outcome.report;
  const table = renderTable(
    steps,
    [
      { title: 'step', of: (s) => s.step },
      { title: 'status', of: (s) => s.status, color: (s) => COLORS[s.status] },
      { title: 'ms', of: (s) => Math.round(s.elapsedMs), align: 'right' },
      { title: 'found', of: (s) => [s.code, s.detail].filter(Boolean).join(' ') },
    ],
    color,
  );
  const reason = error ? `${error.code} ${error.detail}\n` : '';
  const from = outcome.workerAddresses.join(', ');
  const addresses =
    outcome.status === 'succeeded' || from === ''
      ? ''
      : `It came from ${from} (resource group ${outcome.resourceGroup}): allow these addresses.\n`;
  return `${table}${reason}The test ${outcome.status}.\n${addresses}`;
}
