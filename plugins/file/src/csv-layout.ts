export interface CsvColumn {
  /** An empty cell is NULL, in quotes too: a number or a date has no empty text. */
  readonly isEmptyNull: boolean;
  /** Only rows whose cell is exactly this. */
  readonly wanted?: string;
}

export interface CsvLinesFormat {
  /** Of one byte. */
  readonly delimiter: string;
  readonly nullToken: string;
  /** Of one byte, or empty where no cell is quoted. */
  readonly quote: string;
  /** A backslash, or empty where no byte escapes another. */
  readonly escape: string;
  readonly hasHeader: boolean;
}

/** The columns as they stand in the file, and those to give. */
export interface CsvLayout {
  readonly columns: readonly CsvColumn[];
  /** Places in the file, in the order of the lines' fields. */
  readonly order: readonly number[];
}
