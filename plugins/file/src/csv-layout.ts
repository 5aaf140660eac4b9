/** How a CSV file is cut into cells. */
export interface CsvFormat {
  readonly delimiter: string;
  /** A cell that is exactly this, and not in quotes, is NULL. */
  readonly nullToken: string;
  /** Empty where no cell is quoted. */
  readonly quote: string;
  /** A backslash, or empty where no character escapes another. */
  readonly escape: string;
  /** Blanks and tabs around a cell, or around its quotes, do not belong to it. */
  readonly trimWhitespace: boolean;
  /** A line without a character is no record. */
  readonly skipEmptyRecords: boolean;
}

/** Of a file whose separator is one byte. */
export interface CsvLinesFormat extends CsvFormat {
  readonly hasHeader: boolean;
}

export interface CsvColumn {
  /** An empty cell is NULL, in quotes too: a number or a date has no empty text. */
  readonly isEmptyNull: boolean;
  /** Only rows whose cell is exactly this. */
  readonly wanted?: string;
}

/** The columns as they stand in the file, and those to give. */
export interface CsvLayout {
  readonly columns: readonly CsvColumn[];
  /** Places in the file, in the order of the lines' fields. */
  readonly order: readonly number[];
}

/** Written without quotes, it would be cut before its own end. */
export function endsEarly(cell: string, delimiter: string): boolean {
  return (cell + delimiter).indexOf(delimiter) !== cell.length;
}

/** Of UTF-8. */
export function isOneByte(delimiter: string): boolean {
  return delimiter.length === 1 && delimiter.charCodeAt(0) < 0x80;
}
