/** A decimal number taken apart: value = 0.`digits` × 10^`point`. Zero has no digits. */
export interface DecimalText {
  readonly negative: boolean;
  /** Without zeros at either end. */
  readonly digits: string;
  readonly point: number;
}

const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,6}))?$/;

/** Reads `-12.50`, `1e-7`; `undefined` for anything that is no finite decimal number. */
export function parseDecimal(text: string): DecimalText | undefined {
  const m = DECIMAL.exec(text);
  if (m === null) return undefined;
  const whole = m[2] ?? '';
  const all = whole + (m[3] ?? '');
  if (all === '') return undefined;
  let first = 0;
  while (first < all.length && all.charCodeAt(first) === 48) first++;
  let last = all.length;
  while (last > first && all.charCodeAt(last - 1) === 48) last--;
  if (first === last) return { negative: m[1] === '-', digits: '', point: 0 };
  return {
    negative: m[1] === '-',
    digits: all.slice(first, last),
    point: whole.length - first + Number(m[4] ?? 0),
  };
}

export function sameDecimal(a: DecimalText, b: DecimalText): boolean {
  if (a.digits === '' && b.digits === '') return true;
  return a.negative === b.negative && a.digits === b.digits && a.point === b.point;
}

/**
 * What a float of that width makes of a decimal: `exact` when its shortest text is the same number again,
 * else what would be read back.
 */
export function floatRoundTrip(text: string, bits: 32 | 64): 'exact' | string {
  const wanted = parseDecimal(text);
  if (wanted === undefined) return 'no number';
  // Every decimal of 6 (15) digits in the normal range survives: FLT_DIG and DBL_DIG.
  const safe = bits === 32 ? [6, -36, 38] : [15, -300, 300];
  if (
    wanted.digits.length <= (safe[0] ?? 0) &&
    wanted.point > (safe[1] ?? 0) &&
    wanted.point < (safe[2] ?? 0)
  ) {
    return 'exact';
  }
  const value = bits === 32 ? Math.fround(Number(text)) : Number(text);
  const shortest = bits === 32 ? shortestFloat32(value) : String(value);
  const back = parseDecimal(shortest);
  return back !== undefined && sameDecimal(wanted, back) ? 'exact' : shortest;
}

function shortestFloat32(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return text;
  }
  return value.toPrecision(9);
}
