/**
 * How a server compares names: `sensitive` as written; `insensitive` without regard to case (MySQL columns,
 * its tables under lower_case_table_names 1 and 2); `fold-lower` as written, else in lower case, which is
 * what PostgreSQL makes of an unquoted name.
 */
export type CaseRule = 'sensitive' | 'insensitive' | 'fold-lower';

export type NameMatch =
  { readonly name: string } | { readonly name: undefined; readonly near: string | undefined };

/** Finds the server's own spelling of `wanted` among `names`, or the nearest one to offer. */
export function resolveName(wanted: string, names: readonly string[], rule: CaseRule): NameMatch {
  if (names.includes(wanted)) return { name: wanted };
  const lower = wanted.toLowerCase();
  if (rule === 'fold-lower' && names.includes(lower)) return { name: lower };
  if (rule === 'insensitive') {
    const same = names.find((n) => n.toLowerCase() === lower);
    if (same !== undefined) return { name: same };
  }
  return { name: undefined, near: nearestName(wanted, names) };
}

/** The name with the fewest edits, case aside; `undefined` when none is close enough to be a misspelling. */
export function nearestName(wanted: string, names: readonly string[]): string | undefined {
  const lower = wanted.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(lower, name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** `there is no table "ordres" in shop; did you mean "orders"?` */
export function missingNameText(
  what: string,
  wanted: string,
  place: string,
  near: string | undefined,
): string {
  const offer = near === undefined ? '' : `; did you mean "${near}"?`;
  return `there is no ${what} "${wanted}" in ${place}${offer}`;
}

/** Two neighbours that changed places, the commonest slip of fingers, count as one edit. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a.charAt(i - 1) === b.charAt(j - 1) ? 0 : 1;
      const isSwapped =
        i > 1 &&
        j > 1 &&
        a.charAt(i - 1) === b.charAt(j - 2) &&
        a.charAt(i - 2) === b.charAt(j - 1);
      row.push(
        Math.min(
          (previous[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (previous[j - 1] ?? 0) + change,
          isSwapped ? (beforePrevious[j - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}
