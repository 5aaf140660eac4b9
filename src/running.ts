/** What a role has started. */
export interface Running {
  /** Where the api listens. */
  readonly port?: number;
  close(): Promise<void>;
}

/** A named point of the line where a fault test may end this process. */
export type CrashPoint = (name: string) => Promise<void>;
