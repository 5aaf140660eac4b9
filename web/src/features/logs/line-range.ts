/** Lines from 0, both ends in it. */
export interface LineRange {
  readonly first: number;
  readonly last: number;
}

/** `#L120-140` of a permalink: people count from 1. */
export function rangeOfHash(hash: string): LineRange | undefined {
  const [, from, to] = /^#L(\d{1,9})(?:-(\d{1,9}))?$/.exec(hash) ?? [];
  if (from === undefined || Number(from) === 0) return undefined;
  const ends = [Number(from) - 1, Number(to ?? from) - 1];
  return { first: Math.max(0, Math.min(...ends)), last: Math.max(...ends) };
}

export function hashOf({ first, last }: LineRange): string {
  return first === last ? `#L${first + 1}` : `#L${first + 1}-${last + 1}`;
}
