/** `MR-` + area (S scheduling, D data, C change data, P plugin, A API) + three digits. */
export type ErrorCode = `MR-${'S' | 'D' | 'C' | 'P' | 'A'}${number}`;

/**
 * A failure with a code of Millrace's registry. The host shows its title, `detail` (the system's own
 * words) and the registry's help. Recognise it by `code`, never by `instanceof`: errors cross threads.
 */
export class PluginError extends Error {
  override readonly name = 'PluginError';
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, options?: { readonly cause?: unknown }) {
    super(`${code}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
  }
}

/** The registry code an error carries, or `undefined` for a foreign error. */
export function errorCodeOf(error: unknown): ErrorCode | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'string' && /^MR-[SDCPA]\d{3}$/.test(code)
    ? (code as ErrorCode)
    : undefined;
}
