import { ApiProblem } from '../../api/problem.ts';

export interface LogHit {
  readonly line: number;
  readonly ranges: readonly (readonly [start: number, end: number])[];
  readonly text: string;
}

export interface LogSearch {
  readonly q: string;
  readonly regex: boolean;
  readonly case: boolean;
  readonly level: 'error' | 'warn' | 'info' | undefined;
  readonly limit: number;
}

/** What a search says while it goes: some hits, how far it is, or that it is done. */
export type SearchFrame =
  | { readonly hit: LogHit }
  | { readonly scannedLines: number; readonly totalLines: number }
  | {
      readonly done: true;
      readonly count: number;
      readonly limited: boolean;
      readonly scannedLines: number;
    };

/** Searches a run log on the server; frames come together as the network brings them. */
export async function* searchLog(
  log: { readonly instanceId: string; readonly attempt: number | undefined },
  search: LogSearch,
  signal: AbortSignal,
): AsyncGenerator<readonly SearchFrame[], void, void> {
  const query = new URLSearchParams({ q: search.q, limit: String(search.limit) });
  if (search.regex) query.set('regex', '1');
  if (search.case) query.set('case', '1');
  if (search.level !== undefined) query.set('level', search.level);
  if (log.attempt !== undefined) query.set('attempt', String(log.attempt));
  const path = `/api/v1/instances/${encodeURIComponent(log.instanceId)}/log/search`;
  const response = await fetch(`${path}?${query}`, { signal });
  if (!response.ok || response.body === null) throw await ApiProblem.of(response);
  let rest = '';
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    const frames = lines.filter((line) => line !== '').map(frameOf);
    if (frames.length > 0) yield frames;
  }
}

function frameOf(line: string): SearchFrame {
  const frame = JSON.parse(line) as SearchFrame | { problem: Record<string, unknown> };
  // The answer had begun when it happened.
  if ('problem' in frame) throw new ApiProblem(Number(frame.problem['status']), frame.problem);
  return frame;
}
