import type { FinishReport } from './worker-link.js';

/** A report that has been held for so long on its way: what it says of its start stays true. */
export function sentLater(report: FinishReport, heldMs: number): FinishReport {
  const { startedMsAgo } = report;
  return startedMsAgo === undefined ? report : { ...report, startedMsAgo: startedMsAgo + heldMs };
}
