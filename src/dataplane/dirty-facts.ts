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

/** As the manuals of MySQL and MariaDB give them; warnings come without. */
const STATE_OF_ERRNO: Readonly<Record<string, string>> = {
  '1022': '23000',
  '1062': '23000',
  '1169': '23000',
  '1586': '23000',
  '1048': '23000',
  '1263': '22004',
  '1364': 'HY000',
  '3819': 'HY000',
  '4025': '23000',
  '1216': '23000',
  '1452': '23000',
  '1406': '22001',
  '1264': '22003',
  '1690': '22003',
  '1292': '22007',
  '1265': '01000',
  '1366': 'HY000',
  '1367': '22007',
  '1411': 'HY000',
  '1300': 'HY000',
};

/** `undefined`: it is Millrace that refused the row. */
function sqlStateOf(code: string): string | undefined {
  return /^[0-9A-Z]{5}$/.test(code) ? code : STATE_OF_ERRNO[code];
}

/** MySQL names the column in words only: `for column 'a' at row 1`, MariaDB also as `db`.`table`.`a`. */
function columnOf({
  code,
  column,
  reason,
}: Pick<DirtyRecord, 'code' | 'column' | 'reason'>): string | undefined {
  if (column !== undefined || STATE_OF_ERRNO[code] === undefined) return column;
  return /\b(?:column|Column) (?:`[^`]+`\.){0,2}['`]([^'`]+)['`]/.exec(reason)?.[1];
}

/** Of MR-D202, the words of the checks of the sdk; what none of them is cannot be read as the type. */
const BY_WORDS: readonly (readonly [RegExp, DirtyClass])[] = [
  [/^NULL in /, 'null'],
  [/^(?:longer|shorter) than /, 'length'],
  [/^outside |^more than |digits of a second/, 'range'],
  [/\bNUL\b|surrogate/, 'encoding'],
];

/** What the engine adds to a refusal. */
export function dirtyFactsOf(
  record: Pick<DirtyRecord, 'code' | 'column' | 'reason'>,
): Pick<DirtyRecord, 'class' | 'column' | 'sqlState'> {
  const sqlState = sqlStateOf(record.code);
  const column = columnOf(record);
  return {
    class: dirtyClassOf(record),
    ...(column === undefined ? {} : { column }),
    ...(sqlState === undefined ? {} : { sqlState }),
  };
}

export function dirtyClassOf({ code, reason }: Pick<DirtyRecord, 'code' | 'reason'>): DirtyClass {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (code === 'MR-D202')
    return BY_WORDS.find(([words]) => words.test(reason))?.[1] ?? 'conversion';
  if (/^22...$/.test(code)) return 'conversion';
  return /^23...$/.test(code) ? 'check' : 'other';
}
