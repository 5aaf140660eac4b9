/** Digits as text. `fraction` is of a second, without its point, as many digits as were there. */
export interface DateParts {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly hour: string;
  readonly minute: string;
  readonly second: string;
  readonly fraction: string;
}

type Part = keyof DateParts;

export interface DateFormat {
  /** `undefined` for a text of another form, or of a day that no calendar has. */
  read(text: string): DateParts | undefined;
  /** `undefined` when a part is missing. */
  write(parts: Readonly<Partial<Record<Part, string | undefined>>>): string | undefined;
}

const TOKENS: Readonly<Record<string, { readonly part: Part; readonly digits: string }>> = {
  yyyy: { part: 'year', digits: '\\d{4}' },
  MM: { part: 'month', digits: '\\d\\d' },
  M: { part: 'month', digits: '\\d\\d?' },
  dd: { part: 'day', digits: '\\d\\d' },
  d: { part: 'day', digits: '\\d\\d?' },
  HH: { part: 'hour', digits: '\\d\\d' },
  H: { part: 'hour', digits: '\\d\\d?' },
  mm: { part: 'minute', digits: '\\d\\d' },
  m: { part: 'minute', digits: '\\d\\d?' },
  ss: { part: 'second', digits: '\\d\\d' },
  s: { part: 'second', digits: '\\d\\d?' },
};
const PIECE = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+/gy;

type Piece =
  | { readonly literal: string }
  | { readonly part: Part; readonly digits: string; readonly width: number };

function piecesOf(format: string): readonly Piece[] | string {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of format.matchAll(PIECE)) {
    const [text, quoted, letter] = match;
    end = match.index + text.length;
    if (letter === 'S' && text.length <= 9) {
      pieces.push({ part: 'fraction', digits: `\\d{${text.length}}`, width: text.length });
    } else if (letter !== undefined) {
      const token = TOKENS[text];
      if (token === undefined)
        return `the date format has ${text}: yyyy MM dd HH mm ss and S are known`;
      pieces.push({ ...token, width: text.length });
    } else
      pieces.push({ literal: quoted === undefined ? text : quoted.replaceAll("''", "'") || "'" });
  }
  return end === format.length ? pieces : 'the date format has a quote without an end';
}

/** Of letters as in `yyyy-MM-dd HH:mm:ss.SSS`; text between quotes stands for itself. */
export function compileDateFormat(format: string): DateFormat | string {
  const pieces = piecesOf(format);
  if (typeof pieces === 'string') return pieces;
  const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  const parts = pieces.flatMap((piece) => ('part' in piece ? [piece.part] : []));
  if (new Set(parts).size !== parts.length) return 'the date format names a part twice';
  const source = pieces.map((p) => ('literal' in p ? escape(p.literal) : `(${p.digits})`)).join('');
  const pattern = new RegExp(`^${source}$`);
  return {
    read: (text) => {
      const values = pattern.exec(text)?.slice(1);
      if (values === undefined) return undefined;
      const found = new Map(parts.map((part, i) => [part, values[i] ?? '']));
      return checked(found);
    },
    write: (given) => {
      const texts = pieces.map((piece) => {
        if ('literal' in piece) return piece.literal;
        const value = given[piece.part];
        if (value === undefined) return undefined;
        if (piece.part === 'fraction') return fractionOf(value, piece.width);
        return piece.width === 1 ? value.replace(/^0(?=\d)/, '') : value;
      });
      return texts.includes(undefined) ? undefined : texts.join('');
    },
  };
}

/** Digits that would be cut off must be zeros. */
function fractionOf(value: string, width: number): string | undefined {
  return /^0*$/.test(value.slice(width)) ? value.padEnd(width, '0').slice(0, width) : undefined;
}

function checked(found: ReadonlyMap<Part, string>): DateParts | undefined {
  const two = (part: Part, without: string): string =>
    (found.get(part) ?? without).padStart(2, '0');
  const parts = {
    year: found.get('year') ?? '1970',
    month: two('month', '01'),
    day: two('day', '01'),
    hour: two('hour', '00'),
    minute: two('minute', '00'),
    second: two('second', '00'),
    fraction: (found.get('fraction') ?? '').replace(/0+$/, ''),
  };
  const [year, month, day] = [Number(parts.year), Number(parts.month), Number(parts.day)];
  const isTime = parts.hour < '24' && parts.minute < '60' && parts.second < '60';
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month);
  return isTime && isDay ? parts : undefined;
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
