import { useEffect, useState } from 'react';

import { type LogHit, type LogSearch, searchLog } from './search-stream.ts';

/** Hits that can be gone through; all are counted. */
const LISTED = 10_000;
const TYPING_MS = 200;
const SHOW_MS = 100;

export const NO_SEARCH: LogSearch = {
  q: '',
  regex: false,
  case: false,
  level: undefined,
  limit: LISTED,
};

export interface SearchResult {
  readonly hits: readonly LogHit[];
  /** Lines that match, also those not listed. */
  readonly count: number;
  readonly scannedLines: number;
  readonly totalLines: number;
  readonly isDone: boolean;
  readonly error: unknown;
}

const NOTHING: SearchResult = {
  hits: [],
  count: 0,
  scannedLines: 0,
  totalLines: 0,
  isDone: true,
  error: undefined,
};

export function isSearching({ q, level }: LogSearch): boolean {
  return q !== '' || level !== undefined;
}

/** Searches on the server a moment after the last change, and shows what it finds as it finds it. */
export function useLogSearch(
  instanceId: string,
  attempt: number | undefined,
  search: LogSearch,
): SearchResult {
  const [result, setResult] = useState(NOTHING);
  useEffect(() => {
    if (!isSearching(search)) {
      setResult(NOTHING);
      return;
    }
    const away = new AbortController();
    setResult({ ...NOTHING, isDone: false });
    const timer = setTimeout(() => {
      void run({ instanceId, attempt }, search, away.signal, setResult);
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      away.abort();
    };
  }, [instanceId, attempt, search]);
  return result;
}

async function run(
  log: { readonly instanceId: string; readonly attempt: number | undefined },
  search: LogSearch,
  signal: AbortSignal,
  show: (result: SearchResult) => void,
): Promise<void> {
  const hits: LogHit[] = [];
  let result: SearchResult = { ...NOTHING, isDone: false };
  let shownAt = 0;
  try {
    for await (const frames of searchLog(log, search, signal)) {
      for (const frame of frames) {
        if ('hit' in frame) hits.push(frame.hit);
        else result = { ...result, ...frame, isDone: 'done' in frame };
      }
      result = { ...result, count: Math.max(result.count, hits.length) };
      if (!result.isDone && performance.now() - shownAt < SHOW_MS) continue;
      shownAt = performance.now();
      show({ ...result, hits: [...hits] });
    }
  } catch (error) {
    if (!signal.aborted) show({ ...result, hits: [...hits], isDone: true, error });
  }
}

/** The first line of a level or a graver one; `undefined` when there is none. */
export async function firstLineOf(
  log: { readonly instanceId: string; readonly attempt: number | undefined },
  level: 'error',
  signal: AbortSignal,
): Promise<number | undefined> {
  const leaving = new AbortController();
  const either = AbortSignal.any([signal, leaving.signal]);
  try {
    for await (const frames of searchLog(log, { ...NO_SEARCH, level, limit: 1 }, either))
      for (const frame of frames) if ('hit' in frame) return frame.hit.line;
  } finally {
    // The server stops counting when nobody listens.
    leaving.abort();
  }
  return undefined;
}
