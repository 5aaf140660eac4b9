import { PluginError } from '../error.js';
import type { Slice, SliceHint } from '../reader.js';

/**
 * Bounds of a slice by a key of one or more columns. The values are the server's own text, one for each
 * column; `from` is included, `to` is not, absent is open. `null`: rows with NULL in any column of the key,
 * which no comparison finds. `by` names the columns. `table` counts from 0 where a reader reads several.
 */
export type KeyBounds =
  | { readonly kind: 'all'; readonly table?: number }
  | {
      readonly kind: 'range';
      readonly from?: KeyValue;
      readonly to?: KeyValue;
      readonly by: readonly string[];
      readonly table?: number;
    }
  | { readonly kind: 'null'; readonly by: readonly string[]; readonly table?: number };

export type KeyValue = readonly string[];

/** How a server compares the key of its slices. */
export interface KeyDialect {
  /** Names for the label of a slice. */
  readonly names: readonly string[];
  readonly isNullable: boolean;
  /** The condition `key >= value` or `key < value`, which the server decides. */
  compare(operator: '>=' | '<', value: KeyValue): string;
  /** The condition that some column of the key is NULL. */
  readonly isNull: string;
}

/** The one slice of a source that cannot be split. */
export function wholeSlice(): Slice {
  return { no: 0, bounds: { kind: 'all' } satisfies KeyBounds, label: 'all rows' };
}

/** How many slices of a source of this size are no larger than the hint says. */
export function piecesBySize(
  source: { readonly rows: number; readonly bytes: number },
  { rows = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY }: SliceHint,
): number {
  return Math.ceil(Math.max(source.rows / rows, source.bytes / bytes));
}

/**
 * Slices between boundaries that the server has chosen and put in its own order; here nothing is compared.
 * The first and the last one are open, so that no row beyond what was seen is lost.
 */
export function keySlices(
  key: Pick<KeyDialect, 'names' | 'isNullable'>,
  boundaries: readonly KeyValue[],
): readonly Slice[] {
  const cuts = withoutRepeats(boundaries);
  if (cuts.length === 0) return [wholeSlice()];
  const name = key.names.length === 1 ? (key.names[0] ?? '') : `(${key.names.join(', ')})`;
  const slices: Slice[] = [];
  for (let i = 0; i <= cuts.length; i++) {
    const [from, to] = [cuts[i - 1], cuts[i]];
    const bounds: KeyBounds = {
      kind: 'range',
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      by: key.names,
    };
    slices.push({ no: i, bounds, label: labelOf(name, from, to) });
  }
  if (key.isNullable) {
    const bounds: KeyBounds = { kind: 'null', by: key.names };
    slices.push({ no: slices.length, bounds, label: `${name} is null` });
  }
  return slices;
}

/** Cuts the range of an integer key in at most `count` equal parts: the boundaries between them. */
export function evenBoundaries(min: string, max: string, count: number): readonly KeyValue[] {
  const low = BigInt(min);
  const span = BigInt(max) - low + 1n;
  const parts = span < BigInt(count) ? span : BigInt(count);
  const boundaries: KeyValue[] = [];
  for (let i = 1n; i < parts; i++) boundaries.push([String(low + (span * i) / parts)]);
  return boundaries;
}

/**
 * The SQL condition of a slice. An open lower end has no condition of its own, so rows with NULL in their
 * key are asked for only where the slice says so.
 */
export function slicePredicate(bounds: unknown, key: KeyDialect | undefined): string {
  const b = parseKeyBounds(bounds);
  if (b.kind === 'all') return '1 = 1';
  if (b.by.join('\n') !== key?.names.join('\n')) {
    // Of another key the same values are other rows.
    throw new PluginError(
      'MR-D227',
      `they are of the key ${b.by.join(', ')}; it is cut by ${key?.names.join(', ') ?? 'none'} now`,
    );
  }
  if (b.kind === 'null') return `(${key.isNull})`;
  const parts = [
    ...(b.from === undefined ? [] : [key.compare('>=', valueOf(b.from, key))]),
    ...(b.to === undefined ? [] : [key.compare('<', valueOf(b.to, key))]),
    // A row comparison is true or false by its first columns, whatever NULL stands in the others.
    ...(key.isNullable ? [`NOT (${key.isNull})`] : []),
  ];
  return parts.length === 0 ? '1 = 1' : parts.join(' AND ');
}

/** Bounds as they come back from storage. Throws MR-P105 for anything else. */
export function parseKeyBounds(bounds: unknown): KeyBounds {
  const b = Object(bounds) as Record<string, unknown>;
  const isKind = b['kind'] === 'all' || b['kind'] === 'null' || b['kind'] === 'range';
  const isKeyed = b['kind'] === 'all' || (Array.isArray(b['by']) && isValue(b['by']));
  const isTable = b['table'] === undefined || Number.isInteger(b['table']);
  if (!isKind || !isKeyed || !isTable || ![b['from'], b['to']].every(isValue))
    throw invalid('it is unknown');
  return b as unknown as KeyBounds;
}

function isValue(value: unknown): boolean {
  return (
    value === undefined ||
    (Array.isArray(value) && value.every((each: unknown) => typeof each === 'string'))
  );
}

function valueOf(value: KeyValue, key: KeyDialect): KeyValue {
  if (value.length === key.names.length) return value;
  throw invalid(`it has ${value.length} of ${key.names.length} columns`);
}

function invalid(why: string): PluginError {
  return new PluginError('MR-P105', `the stored bounds of a slice are not valid: ${why}`);
}

/** Neighbours of the same text are one boundary; others that the server calls equal make an empty slice. */
function withoutRepeats(boundaries: readonly KeyValue[]): readonly KeyValue[] {
  return boundaries.filter(
    (value, i) => i === 0 || JSON.stringify(value) !== JSON.stringify(boundaries[i - 1]),
  );
}

const MOST_LABEL_CHARS = 60;

function labelOf(name: string, from: KeyValue | undefined, to: KeyValue | undefined): string {
  const text = (value: KeyValue): string => {
    const whole = value.join(', ');
    const short = whole.length > MOST_LABEL_CHARS ? `${whole.slice(0, MOST_LABEL_CHARS)}…` : whole;
    return value.length === 1 ? short : `(${short})`;
  };
  if (from === undefined) return `${name} < ${text(to ?? [])}`;
  return to === undefined ? `${name} >= ${text(from)}` : `${name} in [${text(from)}, ${text(to)})`;
}
