export interface ErrorSpec {
  readonly title: string;
  /** May the scheduler try again by itself (within the node's retry policy)? */
  readonly retry: 'never' | 'backoff';
  /** What the reader should do next. */
  readonly help: string;
}
