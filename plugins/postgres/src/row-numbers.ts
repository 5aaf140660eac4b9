/** Numbers that are in either, ascending. */
export function union(some: readonly number[], others: Iterable<number>): readonly number[] {
  return [...new Set([...some, ...others])].toSorted((a, b) => a - b);
}
