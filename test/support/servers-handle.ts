/** What the global setup leaves on `globalThis` for the global teardown. */
export interface ServersHandle {
  readonly millraceTestServersStop: () => Promise<void>;
}
