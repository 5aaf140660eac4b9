/** Values, as SQL of the first server, and for each the reason why it does not come back as it was. */
type Reasons = Readonly<Record<string, string>>;

/** One column of the corpus: a type of the first server, the type it has in the second, and hard values. */
export interface CorpusColumn {
  readonly type: string;
  readonly via: string;
  /** As SQL of the first server. */
  readonly values: readonly string[];
  /** Values that a server of the other kind has no place for: they must become dirty records. */
  readonly lost?: Reasons;
  /** Values that no server takes, and the first one has all the same: dirty wherever they go. */
  readonly refused?: Reasons;
  /** Values that MariaDB has no exact form for and that a counted policy changes. */
  readonly changedByMariadb?: Reasons;
  /** Values that a type of the other kind of server keeps in a form of its own, as its verdict says. */
  readonly rewritten?: Reasons;
}

export type Corpus = Readonly<Record<string, CorpusColumn>>;
