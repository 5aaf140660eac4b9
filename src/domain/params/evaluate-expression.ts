import { addDays, addMonths, isLocalDate } from '../calendar/local-date.js';
import type { LocalDate } from '../calendar/local-date.js';
import { localOf, zonedToInstant } from '../calendar/zone.js';
import type { LocalTime } from '../calendar/zone.js';
import { badExpression, parseExpression } from './parse-expression.js';
import type { BuiltIn, DateToken, ExpressionPart, FormatPiece } from './parse-expression.js';

/** What the expressions of one instance are computed from; fixed when the instance is planned. */
export interface ParameterBase {
  /** `YYYY-MM-DD`. */
  readonly bizdate: string;
  /** The wall clock of the scheduled time; `fold` 1 means the second occurrence of a doubled hour. */
  readonly scheduledLocal: {
    readonly date: LocalDate;
    readonly time: LocalTime;
    readonly fold?: 0 | 1;
  };
  /** IANA name: offsets with a division are elapsed time, also where the clock jumps. */
  readonly zone: string;
  readonly workflowId?: number | string;
  readonly nodeId?: number | string;
  readonly instanceId?: number | string;
  /** For `$gmtdate` and `$bizmonth`; the day of the scheduled time unless given. */
  readonly today?: LocalDate;
}

type Part<K extends ExpressionPart['kind']> = Extract<ExpressionPart, { kind: K }>;

/**
 * The value of the right side of a declaration. A term without division moves the calendar
 * (`$[yyyymmddhh24-1]` keeps the hour), one with division is elapsed time. Throws MR-S106.
 */
export function evaluateExpression(expression: string, base: ParameterBase): string {
  return parseExpression(expression)
    .map((part) => evaluatePart(part, expression, base))
    .join('');
}

function evaluatePart(part: ExpressionPart, expression: string, base: ParameterBase): string {
  if (part.kind === 'literal') return part.text;
  try {
    switch (part.kind) {
      case 'built-in':
        return evaluateBuiltIn(part.name, base);
      case 'bizdate':
        return render(part.format, shiftBizdate(part, base.bizdate), '00:00:00');
      case 'scheduled': {
        const { date, time } = shiftScheduled(part, base);
        return render(part.format, date, time);
      }
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw badExpression(expression, part.position, cause.message);
  }
}

function evaluateBuiltIn(name: BuiltIn, base: ParameterBase): string {
  const today = base.today ?? base.scheduledLocal.date;
  switch (name) {
    case 'bizdate':
      return digits(base.bizdate);
    case 'cyctime':
      return digits(base.scheduledLocal.date) + digits(base.scheduledLocal.time);
    case 'gmtdate':
      return digits(today);
    case 'bizmonth': {
      const isThisMonth = base.bizdate.slice(0, 7) === today.slice(0, 7);
      return digits(addMonths(base.bizdate, isThisMonth ? -1 : 0).slice(0, 7));
    }
    case 'jobid':
      return known(base.workflowId, '$jobid, the id of the workflow,');
    case 'nodeid':
      return known(base.nodeId, '$nodeid, the id of the node,');
    case 'taskid':
      return known(base.instanceId, '$taskid, the id of the instance,');
  }
}

function known(id: number | string | undefined, what: string): string {
  if (id === undefined) throw new RangeError(`${what} is not known here`);
  return String(id);
}

function shiftBizdate({ amount, unit }: Part<'bizdate'>, bizdate: string): LocalDate {
  if (!isLocalDate(bizdate)) throw new RangeError(`"${bizdate}" is not a business date`);
  if (unit === 'day') return addDays(bizdate, amount);
  return addMonths(bizdate, unit === 'month' ? amount : amount * 12);
}

function shiftScheduled(
  { months, terms }: Part<'scheduled'>,
  { scheduledLocal, zone }: ParameterBase,
): { date: LocalDate; time: LocalTime } {
  const days = terms.reduce((sum, t) => (t.denominator === 1n ? sum + t.numerator : sum), 0n);
  const monthed = months === 0 ? scheduledLocal.date : addMonths(scheduledLocal.date, months);
  const date = days === 0n ? monthed : addDays(monthed, Number(days));
  const seconds = elapsedSeconds(terms.filter((t) => t.denominator !== 1n));
  if (seconds === 0) return { date, time: scheduledLocal.time };
  const zoned = zonedToInstant(date, scheduledLocal.time, zone);
  const isSecond = scheduledLocal.fold === 1 && date === scheduledLocal.date;
  const from =
    zoned.kind === 'instant'
      ? zoned.instant
      : zoned.kind === 'gap'
        ? zoned.shifted
        : isSecond
          ? zoned.second
          : zoned.first;
  return localOf(new Date(from.getTime() + seconds * 1000), zone);
}

/** Exact: 1/3 and -1/3 of a day cancel. */
function elapsedSeconds(terms: Part<'scheduled'>['terms']): number {
  let [numerator, denominator] = [0n, 1n];
  for (const term of terms) {
    numerator = numerator * term.denominator + term.numerator * denominator;
    denominator *= term.denominator;
  }
  if ((numerator * 86_400n) % denominator !== 0n) {
    throw new RangeError('the offset does not come to whole seconds');
  }
  return Number((numerator * 86_400n) / denominator);
}

function render(format: readonly FormatPiece[], date: LocalDate, time: LocalTime): string {
  return format
    .map((piece) => ('token' in piece ? renderToken(piece.token, date, time) : piece.separator))
    .join('');
}

function renderToken(token: DateToken, date: LocalDate, time: LocalTime): string {
  switch (token) {
    case 'yyyy':
      return date.slice(0, 4);
    case 'yy':
      return date.slice(2, 4);
    case 'mm':
      return date.slice(5, 7);
    case 'dd':
      return date.slice(8, 10);
    case 'hh24':
      return time.slice(0, 2);
    case 'hh12':
    case 'hh':
      return String(Number(time.slice(0, 2)) % 12 || 12).padStart(2, '0');
    case 'mi':
      return time.slice(3, 5);
    case 'ss':
      return time.slice(6, 8);
  }
}

function digits(text: string): string {
  return text.replaceAll(/\D/g, '');
}
