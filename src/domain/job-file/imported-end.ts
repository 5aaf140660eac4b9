import type { ColumnList, SourceColumn } from './job-columns.js';
import type { JobValue } from './job-json.js';

/** A data source as a job file describes it: by name, or by an address that nobody has saved yet. */
export interface ProposedDataSource {
  readonly name: string;
  readonly type: string;
  readonly url?: string;
  readonly user?: string;
  /** Of files. */
  readonly root?: string;
}

export interface ImportedReader {
  readonly dataSource: ProposedDataSource;
  /** The reader's own configuration, without columns. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly columns: ColumnList<SourceColumn>;
}

export interface ImportedWriter {
  readonly dataSource: ProposedDataSource;
  /** How dates are written into a file. */
  readonly dateFormat?: JobValue;
  readonly config: Readonly<Record<string, unknown>>;
  readonly columns: ColumnList<string>;
}
