import { useEffect, useMemo, useState } from 'react';

import type { LogHit, LogSearch } from './search-stream.ts';
import { NO_SEARCH, type SearchResult, useLogSearch } from './use-log-search.ts';

export interface LogHits {
  readonly search: LogSearch;
  readonly setSearch: (search: LogSearch) => void;
  readonly result: SearchResult;
  /** Index of the hit that is shown; -1 before the first. */
  readonly current: number;
  readonly hitOf: (line: number) => LogHit | undefined;
  readonly step: (step: 1 | -1) => void;
}

/** The search of one log and the way from hit to hit; the first shown is the first from `topLine` on. */
export function useLogHits(
  instanceId: string,
  attempt: number | undefined,
  topLine: number,
  show: (line: number) => void,
): LogHits {
  const [search, setWanted] = useState(NO_SEARCH);
  const [current, setCurrent] = useState(-1);
  const result = useLogSearch(instanceId, attempt, search);
  const { hits, isDone } = result;
  const byLine = useMemo(() => new Map(hits.map((hit) => [hit.line, hit])), [hits]);
  const goTo = (index: number): void => {
    const hit = hits[index];
    if (hit === undefined) return;
    setCurrent(index);
    show(hit.line);
  };
  useEffect(() => {
    if (current !== -1 || hits.length === 0) return;
    const next = hits.findIndex(({ line }) => line >= topLine);
    if (next !== -1 || isDone) goTo(Math.max(0, next));
  });
  return {
    search,
    setSearch: (next) => {
      setCurrent(-1);
      setWanted(next);
    },
    result,
    current,
    hitOf: (line) => byLine.get(line),
    step: (step) => goTo((current + step + hits.length) % Math.max(1, hits.length)),
  };
}
