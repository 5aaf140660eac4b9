import { MillraceError } from '../../domain/errors.js';
import type { LogLevel } from '../../domain/log/line-level.js';

/** What to look for in a run log, line by line, in the text without escape sequences. */
export interface LogSearch {
  /** Empty: every line of the level. */
  readonly text: string;
  readonly isRegex: boolean;
  readonly isCaseSensitive: boolean;
  readonly level: LogLevel | undefined;
  /** Hits to list; all are counted. */
  readonly limit: number;
}

/** A line that matches. */
export interface LogHit {
  /** From 0. */
  readonly line: number;
  /** Start and end of what matches in the visible text, in UTF-16 units. */
  readonly ranges: readonly (readonly [start: number, end: number])[];
  /** The beginning of the visible text. */
  readonly text: string;
}

/** What a piece of the log had in it. */
export interface Found {
  readonly hits: readonly LogHit[];
  /** Lines that matched, also those not listed. */
  readonly count: number;
  /** Lines looked at. */
  readonly lines: number;
}

/** The bytes that a line must have, ASCII in small letters unless case matters; `undefined` for an expression. */
export function needleOf(search: LogSearch): Buffer | undefined {
  if (expressionOf(search) !== undefined) return undefined;
  return Buffer.from(search.isCaseSensitive ? search.text : lowered(search.text));
}

/** Letters of ASCII only: of the others some change their length, and no offset were right after them. */
export function lowered(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The expression of a search; `undefined` where bytes can be compared. Refuses what cannot be searched for. */
export function expressionOf(search: LogSearch): RegExp | undefined {
  const { text, isRegex, isCaseSensitive, level } = search;
  if (text === '' && level === undefined) throw refused('Say what to look for, or choose a level.');
  if (text === '') return /(?:)/u;
  if (!isRegex && /[\r\n]/.test(text))
    throw refused('Lines are searched one by one: leave out the line break.');
  if (!isRegex && (isCaseSensitive || !hasForeignCase(text))) return undefined;
  const source = isRegex ? text : text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  try {
    return new RegExp(source, isCaseSensitive ? 'u' : 'iu');
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
}

/** Letters beyond ASCII that have capitals: their bytes cannot be compared without regard to case. */
function hasForeignCase(text: string): boolean {
  return [...text].some(
    (letter) => letter > '\x7f' && letter.toLowerCase() !== letter.toUpperCase(),
  );
}

function refused(detail: string): MillraceError {
  return new MillraceError('MR-A101', 'this cannot be searched for', {
    errors: [{ pointer: '/q', detail }],
  });
}
