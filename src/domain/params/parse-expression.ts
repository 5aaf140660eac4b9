import { MillraceError } from '../errors.js';

/** What stands for itself: `$bizdate` and the like. */
export const BUILT_INS = [
  'bizdate',
  'cyctime',
  'gmtdate',
  'bizmonth',
  'jobid',
  'nodeid',
  'taskid',
] as const;
export type BuiltIn = (typeof BUILT_INS)[number];

export const DATE_TOKENS = ['yyyy', 'yy', 'mm', 'dd', 'hh24', 'hh12', 'hh', 'mi', 'ss'] as const;
export type DateToken = (typeof DATE_TOKENS)[number];

/** A piece of a date format: a token, or a separator that is printed as it is. */
export type FormatPiece = { readonly token: DateToken } | { readonly separator: string };

/** `terms` are days; one with a division is elapsed time, one without moves the calendar. */
export interface DayTerm {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export type ExpressionPart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'built-in'; readonly name: BuiltIn; readonly position: number }
  | {
      readonly kind: 'bizdate';
      readonly format: readonly FormatPiece[];
      readonly amount: number;
      /** The smallest unit of the format. */
      readonly unit: 'year' | 'month' | 'day';
      readonly position: number;
    }
  | {
      readonly kind: 'scheduled';
      readonly format: readonly FormatPiece[];
      readonly months: number;
      readonly terms: readonly DayTerm[];
      readonly position: number;
    };

const MAX_LENGTH = 1000;
const BIZDATE_TOKENS = ['yyyy', 'yy', 'mm', 'dd'] as const;
const LEGACY = /^\$\{bdp\.system\.(bizdate|cyctime)\}/;
const BUILT_IN = new RegExp(`^\\$(${BUILT_INS.join('|')})(?![A-Za-z])`);
/** `-` separates and signs: the longest suffix that can be an offset is one, the rest is the format. */
const OFFSET_SUFFIX = /(?:[+-]\d+(?:\*\d+)?(?:\/\d+)*)+$/;
const TERM = /([+-])(\d+)(?:\*(\d+))?((?:\/\d+)*)/g;
const ADD_MONTHS = /^add_months\(([^(),]*),([+-]?)(\d+)(?:\*(\d+))?\)(.*)$/;
const FORMAT_PIECE = new RegExp(`(${DATE_TOKENS.join('|')})|([-/:._])`, 'y');

/**
 * Reads the right side of a declaration: literals, `$bizdate`, `${yyyymmdd-1}`, `$[yyyymmddhh24miss-1/24]`,
 * in any order. Throws MR-S106 with the expression, the position and what is allowed there.
 */
export function parseExpression(expression: string): ExpressionPart[] {
  if (expression.length > MAX_LENGTH) {
    throw badExpression(
      `${expression.slice(0, 60)}…`,
      MAX_LENGTH,
      `it is longer than ${MAX_LENGTH}`,
    );
  }
  const parts: ExpressionPart[] = [];
  let at = 0;
  while (at < expression.length) {
    const dollar = expression.indexOf('$', at);
    if (dollar !== at) {
      const text = expression.slice(at, dollar === -1 ? undefined : dollar);
      parts.push({ kind: 'literal', text });
      at += text.length;
      continue;
    }
    const { part, length } = parseDollar(expression, at);
    parts.push(part);
    at += length;
  }
  return parts;
}

/** An MR-S106; `index` counts from 0, the message from 1. */
export function badExpression(expression: string, index: number, reason: string): MillraceError {
  return new MillraceError('MR-S106', `"${expression}", character ${index + 1}: ${reason}`);
}

function parseDollar(expression: string, at: number): { part: ExpressionPart; length: number } {
  const rest = expression.slice(at);
  const named = LEGACY.exec(rest) ?? BUILT_IN.exec(rest);
  const name = BUILT_INS.find((builtIn) => builtIn === named?.[1]);
  if (named !== null && name !== undefined) {
    return { part: { kind: 'built-in', name, position: at }, length: named[0].length };
  }
  const close = rest[1] === '{' ? '}' : rest[1] === '[' ? ']' : undefined;
  if (close === undefined) {
    const allowed = `\${...}, $[...], ${BUILT_INS.map((builtIn) => `$${builtIn}`).join(', ')}`;
    throw badExpression(expression, at, `"$" must begin one of ${allowed}`);
  }
  const end = rest.indexOf(close);
  if (end === -1) throw badExpression(expression, at, `"${rest.slice(0, 2)}" has no "${close}"`);
  const inner = { expression, at: at + 2, text: rest.slice(2, end) };
  const space = inner.text.search(/[\s=]/);
  if (space !== -1) {
    const reason = 'no space and no "=" inside; write two: $[yyyy-mm-dd]$[hh24:mi:ss]';
    throw badExpression(expression, inner.at + space, reason);
  }
  const part = close === '}' ? parseBizdatePart(inner) : parseScheduledPart(inner);
  return { part, length: end + 1 };
}

interface Inner {
  readonly expression: string;
  /** Where `text` begins in `expression`. */
  readonly at: number;
  readonly text: string;
}

function parseBizdatePart(inner: Inner): ExpressionPart {
  const { format: formatText, offset } = splitOffset(inner.text);
  const format = parseFormat(inner, formatText, BIZDATE_TOKENS);
  const slash = offset.indexOf('/');
  if (slash !== -1) {
    const reason =
      '${...} counts in whole units; for parts of a day use $[...], such as $[hh24-1/24]';
    throw badExpression(inner.expression, inner.at + formatText.length + slash, reason);
  }
  const amount = termsOf(offset).reduce((sum, term) => sum + term.numerator, 0n);
  const has = (token: DateToken): boolean =>
    format.some((piece) => 'token' in piece && piece.token === token);
  const unit = has('dd') ? 'day' : has('mm') ? 'month' : 'year';
  return {
    kind: 'bizdate',
    format,
    amount: smallInteger(inner, amount),
    unit,
    position: inner.at - 2,
  };
}

function parseScheduledPart(inner: Inner): ExpressionPart {
  const call = ADD_MONTHS.exec(inner.text);
  if (call === null && inner.text.startsWith('add_months')) {
    const reason =
      'write $[add_months(yyyymmdd,-1)], with a day offset after the bracket if needed';
    throw badExpression(inner.expression, inner.at, reason);
  }
  const position = inner.at - 2;
  if (call === null) {
    const { format, offset } = splitOffset(inner.text);
    const pieces = parseFormat(inner, format, DATE_TOKENS);
    return {
      kind: 'scheduled',
      format: pieces,
      months: 0,
      terms: checkedTerms(inner, offset),
      position,
    };
  }
  const [, formatText = '', sign = '', count = '', factor = '1', tail = ''] = call;
  const { format: leftOver, offset } = splitOffset(tail);
  if (leftOver !== '') {
    const index = inner.at + inner.text.length - tail.length;
    throw badExpression(inner.expression, index, `"${leftOver}" is no offset such as -1 or -3/24`);
  }
  const format = parseFormat(
    { ...inner, at: inner.at + 'add_months('.length },
    formatText,
    DATE_TOKENS,
  );
  const months = BigInt(`${sign === '-' ? '-' : ''}${count}`) * BigInt(factor);
  const terms = checkedTerms(inner, offset);
  return { kind: 'scheduled', format, months: smallInteger(inner, months), terms, position };
}

function splitOffset(text: string): { format: string; offset: string } {
  const offset = OFFSET_SUFFIX.exec(text)?.[0] ?? '';
  return { format: text.slice(0, text.length - offset.length), offset };
}

function checkedTerms(inner: Inner, offset: string): DayTerm[] {
  const terms = termsOf(offset);
  if (terms.some((term) => term.denominator === 0n)) {
    const index = inner.at + inner.text.length - offset.length;
    throw badExpression(inner.expression, index, 'it divides by zero');
  }
  return terms;
}

function termsOf(offset: string): DayTerm[] {
  return [...offset.matchAll(TERM)].map(([, sign, count = '0', factor = '1', divisors = '']) => ({
    numerator: BigInt(`${sign === '-' ? '-' : ''}${count}`) * BigInt(factor),
    denominator: [...divisors.matchAll(/\d+/g)].reduce((product, [n]) => product * BigInt(n), 1n),
  }));
}

function parseFormat(inner: Inner, text: string, allowed: readonly DateToken[]): FormatPiece[] {
  const pieces: FormatPiece[] = [];
  for (let at = 0; at < text.length; at = FORMAT_PIECE.lastIndex) {
    FORMAT_PIECE.lastIndex = at;
    const [found, tokenText, separator] = FORMAT_PIECE.exec(text) ?? [];
    const token = allowed.find((one) => one === tokenText);
    if (found === undefined || (separator === undefined && token === undefined)) {
      const wrong = found ?? text.slice(at, at + 1);
      const reason = `"${wrong}" is not allowed here; allowed are ${allowed.join(' ')} in lower case, - / : . _ and then an offset`;
      throw badExpression(inner.expression, inner.at + at, reason);
    }
    pieces.push(token === undefined ? { separator: found } : { token });
  }
  if (!pieces.some((piece) => 'token' in piece)) {
    const reason = `a date format is missing; allowed are ${allowed.join(' ')}`;
    throw badExpression(inner.expression, inner.at, reason);
  }
  return pieces;
}

/** Far beyond any calendar, and far below what a number holds exactly. */
function smallInteger(inner: Inner, value: bigint): number {
  if (value > 10_000_000n || value < -10_000_000n) {
    throw badExpression(inner.expression, inner.at, 'the offset is too large');
  }
  return Number(value);
}
