/** A decimal as an integer and a power of ten: `digits * 10 ** -scale`. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const DECIMAL = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?\s*$/;

/** `undefined` for what is no number with digits. */
function parse(text: string): Decimal | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  return {
    digits: BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`),
    scale: fraction.length - Number(exponent),
  };
}

/**
 * Compares two numbers written as text without ever rounding one: negative, 0 or positive; `undefined` when
 * one of them is no number.
 */
export function compareDecimals(a: string, b: string): number | undefined {
  const [first, second] = [parse(a), parse(b)];
  if (first === undefined || second === undefined) return undefined;
  const scale = Math.max(first.scale, second.scale);
  const of = ({ digits, scale: own }: Decimal): bigint => digits * 10n ** BigInt(scale - own);
  const [x, y] = [of(first), of(second)];
  return x < y ? -1 : x > y ? 1 : 0;
}
