import { useCallback, useMemo, useRef } from 'react';
import { useLocation, useNavigate } from 'react-router';

import { hashOf, type LineRange, rangeOfHash } from './line-range.ts';

export interface SelectedLines {
  readonly range: LineRange | undefined;
  /** With Shift from what is selected to here. */
  readonly select: (line: number, isExtended: boolean) => void;
}

/** The lines that the address names: `#L120-140`. */
export function useSelectedLines(): SelectedLines {
  const location = useLocation();
  const navigate = useNavigate();
  const range = useMemo(() => rangeOfHash(location.hash), [location.hash]);
  const latest = useRef({ location, navigate, range });
  latest.current = { location, navigate, range };
  const select = useCallback((line: number, isExtended: boolean): void => {
    const { location: at, navigate: go, range: before } = latest.current;
    const anchor = isExtended ? (before?.first ?? line) : line;
    const hash = hashOf({ first: Math.min(anchor, line), last: Math.max(anchor, line) });
    void go({ search: at.search, hash }, { replace: true, preventScrollReset: true });
  }, []);
  return { range, select };
}
