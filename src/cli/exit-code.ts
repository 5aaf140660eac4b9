/** What the shell learns. The numbers are a contract: scripts and CI jobs branch on them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  validation: 3,
  auth: 4,
  conflict: 5,
  timeout: 6,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** As the help and the reference say it. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'all went well',
  1: 'a run ended red, a test or a check failed, or something else went wrong',
  2: 'the command line or a setting is wrong',
  3: 'what was sent is not valid',
  4: 'not signed in, or not allowed',
  5: 'not found, or in conflict with what is there',
  6: 'no answer in time, or no server to answer',
};

/** Of several outcomes the first in this order is the one that counts. */
const WORST_FIRST: readonly ExitCode[] = [1, 6, 2, 4, 3, 5, 0];

export function worstOf(codes: readonly ExitCode[]): ExitCode {
  return WORST_FIRST.find((code) => codes.includes(code)) ?? EXIT.ok;
}

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
