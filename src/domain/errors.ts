import { ERRORS, isRegisteredCode, type RegisteredCode } from './error-registry.js';

/** A failure a user may see. `detail` is in the system's own words; title and help come from the registry. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: RegisteredCode;
  readonly detail: string;
  /** Field by field, for forms: `pointer` is a JSON pointer into what was sent. */
  readonly errors: readonly FieldError[];

  constructor(
    code: RegisteredCode,
    detail: string,
    options?: { readonly cause?: unknown; readonly errors?: readonly FieldError[] },
  ) {
    super(`${code} ${ERRORS[code].title}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
    this.errors = options?.errors ?? [];
  }
}

export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** The registry code of any error, also one that crossed a thread or came from a plugin. */
export function registeredCodeOf(error: unknown): RegisteredCode | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return isRegisteredCode(error.code) ? error.code : undefined;
}
