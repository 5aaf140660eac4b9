/** The chosen rows of a list, and the row that a range begins at. */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly anchor: string | undefined;
}

export const NOTHING_SELECTED: Selection = { ids: new Set(), anchor: undefined };

/** As many as one operation takes. */
export const MAX_SELECTED = 1_000;

/** One row is chosen, or is not any more. */
export function toggleRow({ ids }: Selection, id: string): Selection {
  const next = new Set(ids);
  if (!next.delete(id) && next.size < MAX_SELECTED) next.add(id);
  return { ids: next, anchor: id };
}

/** Every row between the anchor and `id` is chosen, beside what was. */
export function selectRange(
  { ids, anchor }: Selection,
  rows: readonly string[],
  id: string,
): Selection {
  const to = rows.indexOf(id);
  const from = anchor === undefined ? to : rows.indexOf(anchor);
  if (from < 0 || to < 0) return { ids: new Set([...ids, id]), anchor: id };
  const range = rows.slice(Math.min(from, to), Math.max(from, to) + 1);
  const all = new Set([...ids, ...range]);
  return { ids: new Set([...all].slice(0, MAX_SELECTED)), anchor };
}

/** All of `rows` are chosen beside what was, or none of them any more where all of them are already. */
export function toggleAll({ ids }: Selection, rows: readonly string[]): Selection {
  const wanted = new Set(rows.slice(0, MAX_SELECTED));
  const all = new Set([...ids, ...wanted]);
  if (all.size === ids.size)
    return { ids: new Set([...ids].filter((id) => !wanted.has(id))), anchor: undefined };
  return { ids: new Set([...all].slice(0, MAX_SELECTED)), anchor: undefined };
}
