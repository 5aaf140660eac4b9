import type { JobValue } from './job-json.js';

/** The marks of a CSV file, as far as a job file names them. */
export interface CsvMarks {
  readonly delimiter?: string;
  /** Empty: no cell is in quotes. */
  readonly quote?: string;
  readonly escape?: '' | '\\';
  readonly trimWhitespace?: true;
  readonly skipEmptyRecords?: true;
}

const BACKSLASH = '\\';
const DOUBLED = '1';
const BACKSLASHED = '2';
/** The default of all dialects, and of the files here. */
const USUAL_QUOTE = '"';
const USUAL_DELIMITER = ',';
const DELIMITER = /^[^\r\n]{1,16}$/;
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
  return { ...delimiter, ...quote, ...escape, ...(end === 'reader' ? leftOutBy(parser) : {}) };
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
  if (DELIMITER.test(mark)) return { delimiter: mark };
  if (mark !== '') {
    const detail = `a separator has up to 16 characters and no line end; cells are cut at ${USUAL_DELIMITER}`;
    counts.note('lost', detail);
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
  const isInDelimiter = delimiter.includes(mark);
  if (QUOTE.test(mark) && !isInDelimiter) return { quote: mark };
  const why = isInDelimiter ? 'is in the separator' : 'is not one ASCII punctuation mark';
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

/** A character by its number, or a text in which some are written as codes of Java. */
function markOf(value: JobValue): string {
  const text = value.scalar();
  if (value.type === 'number') return String.fromCodePoint(Number(text) & 0xff_ff);
  return text.replaceAll(/\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|t)/gi, (_, wide, narrow) => {
    const code = String(wide ?? narrow ?? '9');
    return String.fromCodePoint(Number.parseInt(code, 16));
  });
}

/** The parser leaves out both unless it is told not to. */
function leftOutBy(
  parser: JobValue | undefined,
): Pick<CsvMarks, 'trimWhitespace' | 'skipEmptyRecords'> {
  return {
    ...(parser?.boolean('trimWhitespace') === false ? {} : { trimWhitespace: true }),
    ...(parser?.boolean('skipEmptyRecords') === false ? {} : { skipEmptyRecords: true }),
  };
}

/** What a parser may be told that is always so here, or never. */
function noteOthers(parser: JobValue): void {
  if (parser.boolean('useComments') === true) {
    const detail = 'every line is a row, also one that begins as a comment';
    parser.child('useComments')?.note('lost', detail);
  }
  if (parser.boolean('useComments') !== true) parser.child('comment')?.take();
  // A limit and an index of the parser's own.
  parser.passOver(['safetySwitch', 'caseSensitive', 'captureRawRecord']);
  const lineEnd = parser.child('recordDelimiter');
  if (lineEnd === undefined || /^(\0|\r?\n)?$/.test(markOf(lineEnd))) return;
  lineEnd.note('lost', 'a line ends with LF or CR LF');
}
