import type { ProposedColumn, TableServer } from './proposed-table.js';

/** Of all columns of a key, and of a row without its long texts and blobs. */
const MOST_KEY_BYTES = 3072;
const MOST_ROW_BYTES = 65_535;
/** A text of a key that has no limit of its own. */
const TEXT = /^(?:tiny|medium|long)?text\b/i;
const CHARACTERS = /^(?:var)?char\b/i;
const NO_KEY =
  /^(?:json|vector|geom|(?:multi)?(?:point|linestring|polygon)|(?:tiny|medium|long)?blob)/i;

interface FittedKey {
  readonly columns: readonly ProposedColumn[];
  readonly key: readonly string[];
}

/**
 * Gives the texts of a key a length that an index takes. Those that come from another system get a collation
 * that tells all texts apart, as the source does. Without a key where one of its columns cannot be in any.
 */
export function fittedKey(
  columns: readonly ProposedColumn[],
  key: readonly string[],
  server: TableServer,
  notes: string[],
): FittedKey {
  const inKey = columns.filter(({ name }) => key.includes(name));
  const blocked = inKey.find(({ nativeType }) => NO_KEY.test(nativeType));
  if (blocked !== undefined) {
    notes.push(`no primary key: ${blocked.name} is ${blocked.nativeType}, which no key can hold`);
    return { columns, key: [] };
  }
  const lengths = textLengths(inKey);
  if (lengths === undefined) {
    notes.push(
      `no primary key: (${key.join(', ')}) is longer than the ${MOST_KEY_BYTES} bytes of a key`,
    );
    return { columns, key: [] };
  }
  const fitted = columns.map((column): ProposedColumn => {
    const length = lengths.get(column.name);
    if (length === undefined) return column;
    const { charset } = column;
    const collation = column.collation ?? (charset === undefined ? server.keyCollation : undefined);
    const { length: had } = column.type.kind === 'text' ? column.type : {};
    if (had === length && !TEXT.test(column.nativeType)) return { ...column, collation };
    notes.push(`${column.name}: ${length} characters at most, since it is of the key`);
    return {
      ...column,
      nativeType: `varchar(${length})`,
      type: { kind: 'text', length },
      collation,
    };
  });
  return { columns: fitted, key };
}

/** How many characters each text of the key may have: the short ones all of theirs, the others the rest. */
function textLengths(inKey: readonly ProposedColumn[]): ReadonlyMap<string, number> | undefined {
  const isText = ({ nativeType }: ProposedColumn): boolean =>
    TEXT.test(nativeType) || CHARACTERS.test(nativeType);
  const fixed = inKey.filter((column) => !isText(column));
  let left = MOST_KEY_BYTES - sum(fixed.map(rowBytes));
  const wanted = inKey
    .filter(isText)
    .map((column) => ({
      name: column.name,
      width: widthOf(column.charset),
      length: (column.type.kind === 'text' ? column.type.length : undefined) ?? Infinity,
    }))
    .toSorted((a, b) => a.length * a.width - b.length * b.width || b.width - a.width);
  const lengths = new Map<string, number>();
  for (const [i, { name, width, length }] of wanted.entries()) {
    const given = Math.min(length, Math.floor(left / (wanted.length - i) / width));
    lengths.set(name, given);
    left -= given * width;
  }
  return left < 0 || [...lengths.values()].some((length) => length < 1) ? undefined : lengths;
}

/** Makes LONGTEXT of the longest texts until the row is no longer than the server takes. */
export function fittedRow(
  columns: readonly ProposedColumn[],
  key: readonly string[],
  notes: string[],
): readonly ProposedColumn[] {
  const fitted = [...columns];
  for (;;) {
    const nulls = Math.ceil(fitted.length / 8);
    if (sum(fitted.map(rowBytes)) + nulls <= MOST_ROW_BYTES) return fitted;
    const [longest] = fitted
      .filter(({ name, nativeType }) => CHARACTERS.test(nativeType) && !key.includes(name))
      .toSorted((a, b) => rowBytes(b) - rowBytes(a));
    if (longest === undefined || rowBytes(longest) <= POINTER_BYTES) return fitted;
    notes.push(
      `${longest.name}: LONGTEXT, since the row would be longer than ${MOST_ROW_BYTES} bytes`,
    );
    const { charset, collation, name, nullable } = longest;
    fitted[fitted.indexOf(longest)] = {
      name,
      nullable,
      nativeType: 'longtext',
      type: { kind: 'text' },
      charset,
      collation,
    };
  }
}

const POINTER_BYTES = 12;
const BYTES: Readonly<Record<string, number>> = {
  tinyint: 1,
  smallint: 2,
  mediumint: 3,
  int: 4,
  bigint: 8,
  float: 4,
  double: 8,
  decimal: 30,
  bit: 8,
  year: 1,
  date: 3,
  time: 6,
  datetime: 8,
  timestamp: 7,
  enum: 2,
  set: 8,
  uuid: 16,
  inet4: 4,
  inet6: 16,
};

/** What a column takes of the row at most. */
function rowBytes({ nativeType, charset }: ProposedColumn): number {
  const [, word = '', digits = ''] = /^(\w+)(?:\((\d+))?/.exec(nativeType.toLowerCase()) ?? [];
  const length = Number(digits);
  switch (word) {
    case 'char':
      return length * widthOf(charset);
    case 'varchar':
      return length * widthOf(charset) + 2;
    case 'binary':
      return length;
    case 'varbinary':
      return length + 2;
    default:
      return BYTES[word] ?? POINTER_BYTES;
  }
}

const WIDTHS: Readonly<Record<string, number>> = {
  utf8: 3,
  utf8mb3: 3,
  ujis: 3,
  eucjpms: 3,
  ucs2: 2,
  gbk: 2,
  gb2312: 2,
  big5: 2,
  sjis: 2,
  cp932: 2,
  euckr: 2,
  utf8mb4: 4,
  utf16: 4,
  utf16le: 4,
  utf32: 4,
  gb18030: 4,
};

/** Bytes of a character at most; utf8mb4 is that of the table. */
function widthOf(charset = 'utf8mb4'): number {
  return WIDTHS[charset.toLowerCase()] ?? 1;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
