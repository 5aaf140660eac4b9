import type { Corpus } from './corpus.js';
import type { CellFate, Fates } from './round-trip.js';

/** A cell is exact when it came back as it was, through whichever type: that is the verdict of its column. */
export function shareOfExact(fates: readonly CellFate[]): number {
  return fates.filter(({ fate }) => fate === 'exact').length / fates.length;
}

/** What became of the cells, why some have no exact form (`why`, by cell), and what columns have a policy for. */
export function fateReport(
  corpus: Corpus,
  { fates, verdicts }: Fates,
  why: ReadonlyMap<string, string>,
): readonly string[] {
  const count = (fate: CellFate['fate']): number => fates.filter((f) => f.fate === fate).length;
  const exact = fates.filter(({ fate }) => fate === 'exact');
  const widened = new Set(verdicts.filter((v) => v.verdict === 'widened').map((v) => v.column));
  const policies = verdicts.filter((v) => v.verdict === 'policy');
  return [
    `${fates.length} cells: ${exact.length} exact ` +
      `(${exact.filter(({ column }) => widened.has(column)).length} through a wider type, ` +
      `${exact.filter((f) => f.isSameThere).length} with the same text in both servers), ` +
      `${count('changed')} by a policy, ${count('dirty')} dirty: ${(shareOfExact(fates) * 100).toFixed(1)} % exact`,
    ...grouped([...why].map(([cell, reason]) => [reason, cell])),
    ...grouped(
      policies.flatMap(({ way, column, reason }) => {
        const { type, via } = corpus[column] ?? {};
        const [source, target] = way === 'there' ? [type, via] : [via, type];
        if (source === undefined || target === undefined) return [];
        const words = reason.replace(/(?<=the server reads it as ).*/, 'its own');
        return [[`policy: ${words}`, `${source} -> ${target}`] as const];
      }),
    ),
  ];
}

function grouped(entries: readonly (readonly [reason: string, what: string])[]): readonly string[] {
  const groups = new Map<string, Set<string>>();
  for (const [reason, what] of entries) {
    groups.set(reason, (groups.get(reason) ?? new Set()).add(what));
  }
  return [...groups].map(([reason, all]) => `${reason}: ${[...all].join('; ')}`);
}
