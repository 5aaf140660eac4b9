import type { JobValue } from './job-json.js';

/** The marks of a CSV file, as far as a job file names them. */
export interface CsvMarks {
  readonly delimiter?: string;
  /** Empty: no cell is in quotes. */
  readonly quote?: string;
  readonly escape?: '' | '\\';
}

const BACKSLASH = '\\';
const DOUBLED = '1';
const BACKSLASHED = '2';
/** The default of all dialects, and of the files here. */
const USUAL_QUOTE = '"';
const USUAL_DELIMITER = ',';
const QUOTE = /^[!-/:-@[\]-`{-~]$/;
/** What means another character behind a backslash. */
const ESCAPED_LETTER = /[ntrb0ZN\\]/;

/**
 * Separator, quote and escape of a text file: `fieldDelimiter`, `quoteChar`, `escapeCharacter` and, of a
 * reader, the settings of its CSV parser in `csvReaderConfig`. What cannot be meant here is noted where it
 * stands.
 */
export function csvMarksOf(parameter: JobValue, end: 'reader' | 'writer'): CsvMarks {
  const parser = end === 'reader' ? parameter.object('csvReaderConfig') : undefined;
  const delimiter = delimiterOf(parameter, parser) ?? {};
  const separator = delimiter.delimiter ?? USUAL_DELIMITER;
  const quote = quoteOf(parameter, parser, separator) ?? {};
  const escape = escapeOf(parameter, parser, quote.quote ?? USUAL_QUOTE, separator) ?? {};
  if (parser !== undefined) noteOthers(parser);
  if (end === 'reader') noteDefaults(parameter, parser);
  return { ...delimiter, ...quote, ...escape };
}

/** The parser's own separator counts, since it is set after the other. */
function delimiterOf(
  parameter: JobValue,
  parser: JobValue | undefined,
): Pick<CsvMarks, 'delimiter'> | undefined {
  const outer = parameter.child('fieldDelimiter');
  const inner = parser?.child('delimiter');
  const counts = inner ?? outer;
  if (counts === undefined) return undefined;
  const mark = markOf(counts);
  if (inner !== undefined && outer !== undefined && markOf(outer) !== mark) {
    outer.note('unused', 'the separator of csvReaderConfig counts');
  }
  if (mark.length === 1 && !/[\r\n]/.test(mark)) return { delimiter: mark };
  if (mark !== '') {
    counts.note('lost', `a separator is one character; cells are cut at ${USUAL_DELIMITER}`);
  }
  return undefined;
}

function quoteOf(
  parameter: JobValue,
  parser: JobValue | undefined,
  delimiter: string,
): Pick<CsvMarks, 'quote'> | undefined {
  const outer = parameter.child('quoteChar');
  const inner = parser?.child('textQualifier');
  const isUsed = parser?.boolean('useTextQualifier');
  const counts = inner ?? outer;
  const mark = counts === undefined ? undefined : markOf(counts);
  outer?.take();
  if (isUsed === false || mark === '') return { quote: '' };
  if (counts === undefined || mark === undefined) return undefined;
  if (QUOTE.test(mark) && mark !== delimiter) return { quote: mark };
  const why = mark === delimiter ? 'is the separator too' : 'is not one ASCII punctuation mark';
  counts.note('lost', `a quote that ${why}; cells may be in ${USUAL_QUOTE}`);
  return undefined;
}

function escapeOf(
  parameter: JobValue,
  parser: JobValue | undefined,
  quote: string,
  delimiter: string,
): Pick<CsvMarks, 'escape'> | undefined {
  const outer = parameter.child('escapeCharacter');
  const named = parser?.child('escapeCharacter') ?? outer;
  const mode = parser?.child('escapeMode');
  const counts = mode ?? named;
  outer?.take();
  if (counts === undefined) return undefined;
  const written = counts === mode ? mode.scalar() : markOf(counts);
  if (counts === mode) named?.take();
  const isDoubled = counts === mode ? written === DOUBLED : written === '' || written === quote;
  if (isDoubled) return { escape: '' };
  if (written !== (counts === mode ? BACKSLASHED : BACKSLASH)) {
    counts.note('lost', 'only a backslash can be an escape; a quote in a cell is doubled');
    return undefined;
  }
  if (ESCAPED_LETTER.test(delimiter)) {
    counts.note('lost', `behind a backslash the separator ${delimiter} means something else`);
    return undefined;
  }
  counts.note(
    'changed',
    'a backslash escapes as in dumps of MySQL: other codes than n, t, r, b, 0 and Z are their letter',
  );
  return { escape: BACKSLASH };
}

/** One character, also by its number or as a code of Java; other texts as they are. */
function markOf(value: JobValue): string {
  const text = value.scalar();
  if (value.type === 'number') return String.fromCodePoint(Number(text) & 0xff_ff);
  if (text === String.raw`\t`) return '\t';
  const code = /^\\(?:u([0-9a-f]{4})|x([0-9a-f]{2}))$/i.exec(text);
  return code === null ? text : String.fromCodePoint(Number.parseInt(code[1] ?? code[2] ?? '', 16));
}

/** What the parser does when nobody tells it not to. */
function noteDefaults(parameter: JobValue, parser: JobValue | undefined): void {
  const isSaid = (key: string): boolean => parser?.child(key) !== undefined;
  if (isSaid('trimWhitespace') && isSaid('skipEmptyRecords')) return;
  parameter.note(
    'changed',
    parser === undefined
      ? 'without `csvReaderConfig` blanks around cells and empty lines are left out there, and kept here'
      : 'unless `csvReaderConfig` has `trimWhitespace` and `skipEmptyRecords` blanks around cells and empty lines are left out there, and kept here',
  );
}

/** What a parser may be told that is always so here, or never. */
function noteOthers(parser: JobValue): void {
  const never: Readonly<Record<string, string>> = {
    trimWhitespace: 'blanks around a cell belong to it',
    skipEmptyRecords:
      'an empty line is a row, and a dirty record where several columns are expected',
    useComments: 'every line is a row, also one that begins as a comment',
  };
  for (const [key, detail] of Object.entries(never)) {
    if (parser.boolean(key) === true) parser.child(key)?.note('lost', detail);
  }
  if (parser.boolean('useComments') !== true) parser.child('comment')?.take();
  // A limit and an index of the parser's own.
  parser.passOver(['safetySwitch', 'caseSensitive', 'captureRawRecord']);
  const lineEnd = parser.child('recordDelimiter');
  if (lineEnd === undefined || /^(\0|\r?\n)?$/.test(markOf(lineEnd))) return;
  lineEnd.note('lost', 'a line ends with LF or CR LF');
}
