import type { Column } from './table.js';

/** How a run makes sure, before it publishes, that what arrived is what was sent. */
export const VERIFICATIONS = ['none', 'count', 'checksum'] as const;
export type Verification = (typeof VERIFICATIONS)[number];

/**
 * The text in which a server writes a value for a checksum, so that another writes an equal value equally.
 * `number`: decimal digits without zeros at the end of the fraction; `timestamp` (in UTC) and `time`: six
 * digits of a second; `bytes`: hex digits in lower case; `native`: the text of the server's own type.
 */
export type ChecksumForm = 'number' | 'text' | 'date' | 'timestamp' | 'time' | 'bytes' | 'native';

export interface ChecksumColumn {
  readonly name: string;
  readonly form: ChecksumForm;
}

/** What a server finds when it looks at the rows itself. */
export interface RowTally {
  readonly rows: number;
  /**
   * The sum over all rows of the first 60 bits of a row's SHA-256, in decimal digits; absent when no columns
   * were asked for. A row is its columns one after the other: `n` for NULL, else characters, `:`, text.
   */
  readonly checksum?: string;
}

const NUMBERS: readonly string[] = ['boolean', 'integer', 'decimal'];
const SAME: readonly string[] = ['date', 'timestamp', 'time', 'bytes'];

/** `undefined`: the two have no text in common. `isSameSystem`: both are of one kind of data source. */
export function checksumFormOf(
  source: Column,
  target: Column,
  isSameSystem: boolean,
): ChecksumForm | undefined {
  const [from, to] = [source.type, target.type];
  if (from.kind === 'text' && to.kind === 'text') {
    return (from.padded ?? false) === (to.padded ?? false) ? 'text' : undefined;
  }
  if (NUMBERS.includes(from.kind) && NUMBERS.includes(to.kind)) return 'number';
  const isSameType = source.nativeType === target.nativeType;
  const losesSign =
    from.kind === 'float' && target.signlessZero === true && source.signlessZero !== true;
  if (isSameSystem && isSameType && !losesSign) return 'native';
  const isZonedTime = [from, to].some((type) => type.kind === 'time' && type.zoned === true);
  // A binary of fixed length is filled up.
  const isFilled = /^binary\b/.test(target.nativeType);
  if (from.kind !== to.kind || !SAME.includes(from.kind) || isZonedTime || isFilled) {
    return undefined;
  }
  return from.kind as ChecksumForm;
}
