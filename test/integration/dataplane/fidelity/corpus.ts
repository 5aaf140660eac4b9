/** One column of the corpus: a type of the first server, the type it has in the second, and hard values. */
export interface CorpusColumn {
  readonly type: string;
  readonly via: string;
  /** As SQL of the first server. */
  readonly values: readonly string[];
  /** Values that the second server has no place for, and why: they must become dirty records. */
  readonly lost?: Readonly<Record<string, string>>;
  /** Values that MariaDB has no exact form for and that a counted policy changes, and why. */
  readonly changedByMariadb?: Readonly<Record<string, string>>;
}
