import type { DirtyRecord } from '@millrace/sdk';

/** What is wrong with a row, whichever system has said it. */
export const DIRTY_CLASSES = [
  'duplicate-key',
  'null',
  'check',
  'foreign-key',
  'length',
  'range',
  'conversion',
  'encoding',
  'line',
  'size',
  'function',
  'other',
] as const;
export type DirtyClass = (typeof DIRTY_CLASSES)[number];

/** SQLSTATEs of PostgreSQL, error numbers of MySQL and MariaDB, codes of ours. */
const BY_CODE: Readonly<Record<string, DirtyClass>> = {
  '23505': 'duplicate-key',
  '23P01': 'duplicate-key',
  '23502': 'null',
  '23514': 'check',
  '23503': 'foreign-key',
  '22001': 'length',
  '22026': 'length',
  '22003': 'range',
  '22008': 'range',
  '22021': 'encoding',
  '22P05': 'encoding',
  '1022': 'duplicate-key',
  '1062': 'duplicate-key',
  '1169': 'duplicate-key',
  '1586': 'duplicate-key',
  '1048': 'null',
  '1263': 'null',
  '1364': 'null',
  '3819': 'check',
  '4025': 'check',
  '1216': 'foreign-key',
  '1452': 'foreign-key',
  '1406': 'length',
  '1264': 'range',
  '1690': 'range',
  '1292': 'conversion',
  '1265': 'conversion',
  '1366': 'conversion',
  '1367': 'conversion',
  '1411': 'conversion',
  '1300': 'encoding',
  'MR-D217': 'function',
  'MR-D240': 'line',
  'MR-D241': 'encoding',
  'MR-D250': 'encoding',
  'MR-D251': 'size',
};

/** Of MR-D202, the words of the checks of the sdk; what none of them is cannot be read as the type. */
const BY_WORDS: readonly (readonly [RegExp, DirtyClass])[] = [
  [/^NULL in /, 'null'],
  [/^(?:longer|shorter) than /, 'length'],
  [/^outside |^more than |digits of a second/, 'range'],
  [/\bNUL\b|surrogate/, 'encoding'],
];

export function dirtyClassOf({ code, reason }: Pick<DirtyRecord, 'code' | 'reason'>): DirtyClass {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (code === 'MR-D202')
    return BY_WORDS.find(([words]) => words.test(reason))?.[1] ?? 'conversion';
  if (/^22...$/.test(code)) return 'conversion';
  return /^23...$/.test(code) ? 'check' : 'other';
}
