import type { Column, LogicalType } from '../table.js';
import type { ColumnVerdict } from '../writer.js';
import type { SqlDialect } from './statements.js';
import { TEXT_BYTES } from './text-bytes.js';

type Judgement = Pick<ColumnVerdict, 'verdict' | 'reason'>;
type Kind<K extends LogicalType['kind']> = Extract<LogicalType, { kind: K }>;

const EXACT: Judgement = { verdict: 'exact' };
const WIDENED: Judgement = { verdict: 'widened' };

/**
 * Can the target column of that dialect hold every value of the source column? `policy`: each value is
 * looked at, and one that would change is a dirty record, unless the reason says otherwise.
 */
export function columnVerdict(source: Column, target: Column, dialect: SqlDialect): ColumnVerdict {
  const j = target.generated
    ? impossible('the server fills this column itself')
    : withForeignValues(source, target, dialect, judge(source, target, dialect));
  const names = { source: source.name, target: target.name };
  if (source.nullable && !target.nullable && (j.verdict === 'exact' || j.verdict === 'widened')) {
    return { ...names, ...policy('NULL is not allowed in the target') };
  }
  return { ...names, ...j };
}

/** Values of another system, or that nobody has looked at, that this one refuses in whatever type it has for them. */
function withForeignValues(
  source: Column,
  target: Column,
  dialect: SqlDialect,
  judgement: Judgement,
): Judgement {
  const refused = foreignValues(source, target, dialect);
  if (refused === undefined || judgement.verdict === 'impossible') return judgement;
  const own = judgement.reason === undefined ? '' : `${judgement.reason}; `;
  return policy(`${own}${refused} are refused`);
}

function foreignValues(source: Column, target: Column, dialect: SqlDialect): string | undefined {
  const [from, to] = [source.type.kind, target.type.kind];
  if (source.unchecked === true) {
    if (to === 'text') return dialect === 'postgres' ? 'texts with U+0000' : undefined;
    const isOwnRule = from === 'text' || to === 'bytes' || to === 'other';
    return isOwnRule ? undefined : `cells that are no ${to}`;
  }
  if (source.dialect === 'mysql' && dialect === 'postgres') {
    if (from === 'text' && to === 'text') return 'texts with U+0000';
    const isDate = (kind: LogicalType['kind']): boolean => kind === 'date' || kind === 'timestamp';
    return isDate(from) && isDate(to) ? 'dates that are in no calendar' : undefined;
  }
  const isNumber = from === 'decimal' && (to === 'decimal' || to === 'float');
  return source.dialect === 'postgres' && dialect === 'mysql' && isNumber
    ? 'NaN and Infinity'
    : undefined;
}

function judge(source: Column, target: Column, dialect: SqlDialect): Judgement {
  const [from, to] = [source.type, target.type];
  if (from.kind === 'bytes' && to.kind !== 'bytes') return impossible('bytes are not text');
  switch (to.kind) {
    case 'integer':
      return toInteger(source, to, target);
    case 'decimal':
      return toDecimal(from, to, dialect);
    case 'float':
      return toFloat(source, target, dialect);
    case 'text':
      return toText(source, to, target, dialect);
    case 'bytes':
      return toBytes(source, to, dialect === 'mysql' && isFilled(target));
    case 'boolean':
      if (from.kind === 'boolean') return EXACT;
      return isOneOf(from, 'integer', 'text', 'bits')
        ? policy('only 0, 1, true and false')
        : impossibleFrom(from, to);
    case 'bits':
      return toBits(from, to);
    case 'date':
    case 'time':
    case 'timestamp':
    case 'interval':
      return toTemporal(source, to, dialect);
    case 'json':
      return isOneOf(from, 'json', 'text', 'other')
        ? toJson(source, to, dialect)
        : impossibleFrom(from, to);
    case 'uuid':
      if (from.kind === 'uuid') return EXACT;
      return isOneOf(from, 'text') ? policy('must be a UUID') : impossibleFrom(from, to);
    case 'other':
      if (from.kind === 'other' && source.nativeType === target.nativeType) return EXACT;
      // Its documents are not looked into, and lose repeated keys without a word.
      return target.nativeType === 'jsonb[]'
        ? impossible('repeated keys would be lost: json[] keeps them')
        : policy(`the server reads it as ${target.nativeType}`);
  }
}

function toInteger(source: Column, to: Kind<'integer'>, target: Column): Judgement {
  const from = source.type;
  const isNumber = isOneOf(from, 'boolean', 'integer', 'decimal', 'float', 'text');
  if (isNumber && /^year\b/i.test(target.nativeType) && source.nativeType !== target.nativeType) {
    return policy('only 0 and the years 1901 to 2155');
  }
  if (from.kind === 'boolean') return WIDENED;
  if (from.kind === 'integer') {
    if (from.bits === to.bits && from.unsigned === to.unsigned) return EXACT;
    const fits =
      from.unsigned === to.unsigned ? from.bits <= to.bits : from.unsigned && from.bits < to.bits;
    return fits ? WIDENED : policy('values outside its range are refused');
  }
  return isOneOf(from, 'decimal', 'float', 'text')
    ? policy('only integers within its range')
    : impossibleFrom(from, to);
}

const UUID_LENGTH = 36;
const INTEGER_DIGITS: Readonly<Record<number, number>> = { 8: 3, 16: 5, 24: 8, 32: 10, 64: 20 };

function toDecimal(from: LogicalType, to: Kind<'decimal'>, dialect: SqlDialect): Judgement {
  const free = to.precision === undefined;
  const whole = free ? Infinity : to.precision - (to.scale ?? 0);
  if (from.kind === 'boolean') return WIDENED;
  if (from.kind === 'integer') {
    return whole >= (INTEGER_DIGITS[from.bits] ?? 20)
      ? WIDENED
      : policy('values too large are refused');
  }
  if (from.kind === 'decimal') {
    if (from.precision === undefined) {
      return free && dialect === 'postgres'
        ? EXACT
        : policy('values that would be rounded are refused');
    }
    const scale = from.scale ?? 0;
    if (from.precision === to.precision && scale === (to.scale ?? 0)) return EXACT;
    const fits = free || ((to.scale ?? 0) >= scale && whole >= from.precision - scale);
    return fits ? WIDENED : policy('values that would be rounded are refused');
  }
  return isOneOf(from, 'float', 'text')
    ? policy('values that would be rounded are refused')
    : impossibleFrom(from, to);
}

function toBits(from: LogicalType, to: Kind<'bits'>): Judgement {
  if (from.kind === 'text') return policy(`only bit strings of ${to.length} bits`);
  const length = from.kind === 'bits' ? from.length : from.kind === 'boolean' ? 1 : undefined;
  if (length === undefined) return impossibleFrom(from, to);
  if (length !== to.length) return impossible(`${length} bits are not ${to.length}`);
  return from.kind === 'bits' ? EXACT : WIDENED;
}

/** A column that the server fills up with zero bytes. */
function isFilled({ nativeType }: Column): boolean {
  return /^binary\b/i.test(nativeType);
}

function toBytes(source: Column, to: Kind<'bytes'>, isFilledUp: boolean): Judgement {
  const isBytes = source.type.kind === 'bytes';
  const [least, most] = bytesOf(source);
  const { length } = to;
  if (length === undefined) return isBytes && most === Infinity ? EXACT : WIDENED;
  if (least > length || (isFilledUp && most < length)) {
    const own =
      least === most ? `${least}` : most < length ? `at most ${most}` : `at least ${least}`;
    return impossible(`its values have ${own} bytes, not ${length}`);
  }
  if (most <= length && !(isFilledUp && least < length)) {
    return isBytes && most === length ? EXACT : WIDENED;
  }
  return policy(
    isFilledUp ? `only values of ${length} bytes` : `more than ${length} bytes are refused`,
  );
}

/** How few and how many bytes a value has that becomes bytes: those of its text in UTF-8. */
function bytesOf(source: Column): readonly [least: number, most: number] {
  const { type } = source;
  if (type.kind === 'bytes') {
    const most = type.length ?? Infinity;
    return [isFilled(source) && most < Infinity ? most : 0, most];
  }
  if (source.unchecked === true) return [0, Infinity];
  switch (type.kind) {
    case 'boolean':
      return ['true'.length, 'false'.length];
    case 'integer':
      return [
        1,
        `${type.unsigned ? 2n ** BigInt(type.bits) - 1n : -(2n ** BigInt(type.bits - 1))}`.length,
      ];
    case 'bits':
      return [type.length, type.length];
    case 'uuid':
      return [UUID_LENGTH, UUID_LENGTH];
    case 'text':
      return [0, type.length === undefined ? Infinity : type.length * 4];
    case 'decimal':
    case 'float':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'interval':
    case 'json':
    case 'other':
      return [0, Infinity];
  }
}

function toJson(source: Column, to: Kind<'json'>, dialect: SqlDialect): Judgement {
  const isJson = source.type.kind === 'json';
  if (to.normalized !== true) return isJson ? EXACT : policy('must be JSON');
  const isNormalized = source.type.kind === 'json' && source.type.normalized === true;
  if (isNormalized && source.dialect === dialect) return EXACT;
  const [refused, changed] =
    dialect === 'mysql'
      ? ['keys that repeat in an object, numbers beyond a double and -0', 'how numbers are written']
      : ['keys that repeat in an object, U+0000 and -0', 'how values are written'];
  return policy(
    `${isJson ? '' : 'must be JSON; '}${refused} are refused; blanks, the order of keys and ${changed} are not kept`,
  );
}

function toFloat(source: Column, target: Column, dialect: SqlDialect): Judgement {
  const [from, to] = [source.type, target.type];
  if (to.kind !== 'float') return impossibleFrom(from, to);
  if (from.kind === 'boolean') return WIDENED;
  if (from.kind === 'float' && from.bits <= to.bits) {
    const refused = dialect === 'mysql' && source.dialect !== 'mysql';
    if (target.signlessZero === true && source.signlessZero !== true) {
      return policy(`-0 becomes 0, counted${refused ? '; NaN and Infinity are refused' : ''}`);
    }
    if (refused) return policy('NaN and Infinity are refused');
    return from.bits === to.bits ? EXACT : WIDENED;
  }
  if (from.kind === 'integer' && from.bits < (to.bits === 64 ? 64 : 24)) return WIDENED;
  return isOneOf(from, 'integer', 'decimal', 'float', 'text')
    ? policy('values that would lose digits are refused')
    : impossibleFrom(from, to);
}

function toText(source: Column, to: Kind<'text'>, target: Column, dialect: SqlDialect): Judgement {
  const from = source.type;
  const list = /^(enum|set)\(/i.exec(target.nativeType)?.[1]?.toUpperCase();
  if (list !== undefined && source.nativeType !== target.nativeType) {
    return policy(`only members of the ${list}`);
  }
  if (list === 'ENUM') return policy('the error value, which is no member, is refused');
  // Its digits are in every character set.
  if (from.kind === 'uuid' && (to.length ?? UUID_LENGTH) >= UUID_LENGTH) return WIDENED;
  if (target.charset !== undefined && !/^utf8mb4$/i.test(target.charset)) {
    return policy(`characters that ${target.charset} lacks are refused`);
  }
  if (from.kind === 'text') {
    if (to.padded && !from.padded) return policy('trailing blanks are refused');
    const bytes = TEXT_BYTES[target.nativeType.toLowerCase()];
    if (dialect === 'mysql' && bytes !== undefined && source.nativeType !== target.nativeType) {
      return from.length !== undefined && from.length * 4 <= bytes
        ? WIDENED
        : policy(`more than ${bytes} bytes are refused`);
    }
    return byLength(from.length, to.length, 'characters');
  }
  if (to.length === undefined) return WIDENED;
  // Types with a bound write each character in one byte.
  const [least, most] = bytesOf(source);
  if (least > to.length) return impossible(`its values have ${least} characters`);
  return most <= to.length ? WIDENED : policy(`more than ${to.length} characters are refused`);
}

/** TIMESTAMP of MySQL. */
const UNIX_YEARS = 'only instants of the years 1970 to 2038';
const NOT_OF_MYSQL = 'years beyond 9999 and infinity are refused';

function toTemporal(source: Column, to: LogicalType, dialect: SqlDialect): Judgement {
  const from = source.type;
  const isSameSystem = source.dialect === dialect;
  if (from.kind === 'text' || from.kind === 'other') return policy(`must be a ${to.kind}`);
  if (from.kind === 'date' && to.kind === 'timestamp') {
    if (dialect === 'postgres') return policy('years beyond 294276 are refused');
    if (to.zoned) return policy(UNIX_YEARS);
    return isSameSystem ? WIDENED : policy(NOT_OF_MYSQL);
  }
  if (from.kind === 'timestamp' && to.kind === 'date') return policy('only midnight');
  if (from.kind === 'time' && to.kind === 'interval') return WIDENED;
  if (from.kind === 'interval' && to.kind === 'time') {
    return policy('only hours, minutes and seconds within its range');
  }
  if (from.kind !== to.kind) return impossibleFrom(from, to);
  if (from.kind === 'timestamp' && to.kind === 'timestamp') {
    if (from.zoned !== to.zoned) {
      return policy(from.zoned ? 'written as UTC without its zone' : 'read as UTC');
    }
    if (dialect === 'mysql' && !isSameSystem) return policy(to.zoned ? UNIX_YEARS : NOT_OF_MYSQL);
    return byLength(from.fraction, to.fraction, 'digits of a second');
  }
  if (from.kind === 'time' && to.kind === 'time') {
    const isZoned = (type: Kind<'time'>): boolean => type.zoned === true;
    if (isZoned(from) !== isZoned(to) || (dialect === 'postgres' && !isSameSystem)) {
      return policy('only times of a day');
    }
    return byLength(from.fraction, to.fraction, 'digits of a second');
  }
  const isBound = dialect === 'mysql' && !isSameSystem && to.kind === 'date';
  return isBound ? policy('years 0000 to 9999') : EXACT;
}

function byLength(from: number | undefined, to: number | undefined, unit: string): Judgement {
  if (from === to) return EXACT;
  if (to === undefined || (from !== undefined && from < to)) return WIDENED;
  return policy(`more than ${to} ${unit} are refused`);
}

function isOneOf(type: LogicalType, ...kinds: readonly LogicalType['kind'][]): boolean {
  return kinds.includes(type.kind);
}

function policy(reason: string): Judgement {
  return { verdict: 'policy', reason };
}

function impossible(reason: string): Judgement {
  return { verdict: 'impossible', reason };
}

function impossibleFrom(from: LogicalType, to: LogicalType): Judgement {
  return impossible(`${from.kind} cannot become ${to.kind}`);
}
