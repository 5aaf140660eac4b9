/** One field of a request that was refused. */
export interface FieldProblem {
  readonly pointer: string;
  readonly code?: string;
  readonly detail: string;
}

/** A refusal of the API (RFC 9457), or what stood in the way of an answer. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly fix: string | undefined;
  readonly traceId: string | undefined;
  readonly fields: readonly FieldProblem[];

  constructor(status: number, body: Record<string, unknown>, traceId?: string) {
    const text = (key: string): string | undefined =>
      typeof body[key] === 'string' ? body[key] : undefined;
    super(text('detail') ?? text('title') ?? `HTTP ${status}`);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = text('code') ?? `HTTP-${status}`;
    this.title = text('title') ?? `HTTP ${status}`;
    this.detail = text('detail') ?? '';
    this.fix = text('help');
    this.traceId = text('traceId') ?? traceId;
    this.fields = Array.isArray(body['errors']) ? (body['errors'] as FieldProblem[]) : [];
  }

  static async of(response: Response): Promise<ApiProblem> {
    const traceId = response.headers.get('x-trace-id') ?? undefined;
    const body: unknown = await response.json().catch(() => ({}));
    const isObject = typeof body === 'object' && body !== null;
    return new ApiProblem(
      response.status,
      isObject ? (body as Record<string, unknown>) : {},
      traceId,
    );
  }
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 401;
}
