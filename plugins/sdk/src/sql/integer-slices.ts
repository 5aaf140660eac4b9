import type { Slice } from '../reader.js';

/** Bounds of a slice by an integer key. Decimal digits; `from` is included, `to` is not; absent is open. */
export type KeyBounds =
  | { readonly kind: 'all' }
  | { readonly kind: 'range'; readonly from?: string; readonly to?: string }
  | { readonly kind: 'null' };

const DIGITS = /^-?\d+$/;

/**
 * Cuts a key's range in at most `count` equal parts, and one for NULL keys where there may be some. The
 * first and last part are open: rows beyond `min` and `max`, added since they were asked for, are not lost.
 */
export function integerSlices(
  key: string,
  min: string | null,
  max: string | null,
  count: number,
  nullable: boolean,
): readonly Slice[] {
  if (min === null || max === null || count <= 1) return [wholeSlice()];
  const low = BigInt(min);
  const span = BigInt(max) - low + 1n;
  const parts = span < BigInt(count) ? span : BigInt(count);
  const slices: Slice[] = [];
  for (let i = 0n; i < parts; i++) {
    const from = i === 0n ? undefined : String(low + (span * i) / parts);
    const to = i === parts - 1n ? undefined : String(low + (span * (i + 1n)) / parts);
    const bounds: KeyBounds = {
      kind: 'range',
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    };
    slices.push({ no: Number(i), bounds, label: labelOf(key, bounds) });
  }
  if (nullable) {
    const bounds: KeyBounds = { kind: 'null' };
    slices.push({ no: slices.length, bounds, label: labelOf(key, bounds) });
  }
  return slices;
}

/** The one slice of a source that cannot be split. */
export function wholeSlice(): Slice {
  return { no: 0, bounds: { kind: 'all' } satisfies KeyBounds, label: 'all rows' };
}

/**
 * The SQL condition of a slice; `quotedKey` is already quoted. Bounds come back from storage: anything but
 * digits in them throws. An open lower end has no condition of its own, so NULL keys are asked for only
 * where the slice says so.
 */
export function slicePredicate(bounds: unknown, quotedKey: string | undefined): string {
  const b = parseBounds(bounds);
  if (b.kind === 'all') return '1 = 1';
  if (quotedKey === undefined) throw new Error('a slice by key needs the key of the reader');
  if (b.kind === 'null') return `${quotedKey} IS NULL`;
  const parts = [
    ...(b.from === undefined ? [] : [`${quotedKey} >= ${b.from}`]),
    ...(b.to === undefined ? [] : [`${quotedKey} < ${b.to}`]),
  ];
  return parts.length === 0 ? `${quotedKey} IS NOT NULL` : parts.join(' AND ');
}

function parseBounds(bounds: unknown): KeyBounds {
  const b =
    typeof bounds === 'object' && bounds !== null ? (bounds as Record<string, unknown>) : {};
  if (b['kind'] === 'all' || b['kind'] === 'null') return { kind: b['kind'] };
  const digits = [b['from'], b['to']].every(
    (v) => v === undefined || (typeof v === 'string' && DIGITS.test(v)),
  );
  if (b['kind'] !== 'range' || !digits)
    throw new Error('the stored bounds of a slice are not valid');
  return b as unknown as KeyBounds;
}

function labelOf(key: string, bounds: KeyBounds): string {
  if (bounds.kind === 'all') return 'all rows';
  if (bounds.kind === 'null') return `${key} is null`;
  if (bounds.from === undefined && bounds.to === undefined) return `${key} is not null`;
  if (bounds.from === undefined) return `${key} < ${bounds.to ?? ''}`;
  return bounds.to === undefined
    ? `${key} >= ${bounds.from}`
    : `${key} in [${bounds.from}, ${bounds.to})`;
}
