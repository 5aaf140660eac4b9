import { useCallback, useEffect, useMemo, useState } from 'react';

import { FoldedRows, GROUP_MARKS, groupsOf } from './line-folds.ts';
import type { LineRange } from './line-range.ts';
import { type LogHit, searchLog } from './search-stream.ts';
import { NO_SEARCH } from './use-log-search.ts';

export interface Folds {
  /** What is left of the lines. */
  readonly rows: FoldedRows;
  isFolded(line: number): boolean;
  toggle(line: number): void;
  /** Opens the group in which a line is hidden. */
  reveal(line: number): void;
}

/** Which groups are folded. Where they begin and end is looked for when the first is folded. */
export function useFolds(
  instanceId: string,
  attempt: number | undefined,
  total: number,
  onError: (error: unknown) => void,
): Folds {
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const [marks, setMarks] = useState<readonly LogHit[]>();
  useEffect(() => {
    setFolded(new Set());
    setMarks(undefined);
  }, [instanceId, attempt]);

  const isNeeded = folded.size > 0;
  useEffect(() => {
    if (!isNeeded) return;
    const away = new AbortController();
    const search = { ...NO_SEARCH, q: GROUP_MARKS, regex: true, case: true };
    collect(searchLog({ instanceId, attempt }, search, away.signal)).then(setMarks, (error) => {
      if (!away.signal.aborted) onError(error);
    });
    return () => away.abort();
  }, [isNeeded, instanceId, attempt, onError]);

  const groups = useMemo(() => groupsOf(marks ?? [], total), [marks, total]);
  const rows = useMemo(() => {
    const ranges = [...folded]
      .map((line) => groups.get(line))
      .filter((range): range is LineRange => range !== undefined)
      .sort((a, b) => a.first - b.first);
    return new FoldedRows(total, ranges);
  }, [folded, groups, total]);

  const toggle = useCallback((line: number) => {
    setFolded((before) => {
      const after = new Set(before);
      if (!after.delete(line)) after.add(line);
      return after;
    });
  }, []);
  return {
    rows,
    isFolded: (line) => folded.has(line),
    toggle,
    reveal: (line) => {
      const begin = [...folded].find((each) => {
        const range = groups.get(each);
        return range !== undefined && range.first <= line && line <= range.last;
      });
      if (begin !== undefined) toggle(begin);
    },
  };
}

async function collect(frames: ReturnType<typeof searchLog>): Promise<readonly LogHit[]> {
  const hits: LogHit[] = [];
  for await (const some of frames)
    for (const frame of some) if ('hit' in frame) hits.push(frame.hit);
  return hits;
}
