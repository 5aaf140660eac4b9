/**
 * Code and words of an error of the operating system. Asked by shape: errors of Node's own modules fail
 * `instanceof Error` where the program runs in another realm, as under jest.
 */
export function systemErrorOf(error: unknown): { readonly code: string; readonly message: string } {
  if (typeof error !== 'object' || error === null) return { code: '', message: String(error) };
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return {
    code: typeof code === 'string' ? code : '',
    message: typeof message === 'string' ? message : 'an error without words',
  };
}
