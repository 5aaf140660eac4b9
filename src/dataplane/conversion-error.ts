import { MillraceError } from '../domain/errors.js';

/** MR-D217. `what` holds no value of a row: it may be printed into a log. */
export function conversionError(what: string): MillraceError {
  return new MillraceError('MR-D217', what);
}
