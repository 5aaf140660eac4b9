/** What the shell learns. The numbers are a contract: scripts and CI jobs branch on them. */
export const EXIT = {
  ok: 0,
  /** A run ended red, a check of `doctor` failed, or something else went wrong. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** What was sent is not valid. */
  validation: 3,
  /** Not signed in, or the role may not do it. */
  auth: 4,
  /** Not found, or in conflict with what is there. */
  conflict: 5,
  /** Nobody answered in time; also: no server was there to answer. */
  timeout: 6,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code of an HTTP answer. `code` is the registry code of its problem, where it has one. */
export function exitCodeOfStatus(status: number, code?: string): ExitCode {
  if (code === 'MR-A108') return EXIT.timeout;
  if (status === 401 || status === 403) return EXIT.auth;
  if (status === 404 || status === 409 || status === 412 || status === 428) return EXIT.conflict;
  if (status === 408 || status === 504) return EXIT.timeout;
  if (status >= 400 && status < 500) return EXIT.validation;
  return EXIT.failed;
}

/** The exit code of an error that was raised in this process, by its registry code. */
export function exitCodeOfRegistryCode(code: string): ExitCode {
  if (code === 'MR-A102' || code === 'MR-A103' || code === 'MR-A203') return EXIT.auth;
  if (code === 'MR-A104' || code === 'MR-A105' || code === 'MR-A205') return EXIT.conflict;
  if (code === 'MR-A108') return EXIT.timeout;
  if (code === 'MR-A101' || code === 'MR-A206' || code.startsWith('MR-S1')) return EXIT.validation;
  return EXIT.failed;
}
