import { useCallback, useEffect, useMemo, useState } from 'react';

import { type LineScroll, maxTop, topToShow } from './line-scroll.ts';

export const ROW_HEIGHT = 20;

export interface LineView {
  readonly scroll: LineScroll;
  readonly top: number;
  /** Stays at the end while the log grows. */
  readonly isFollowing: boolean;
  /** As a person scrolls: at the end of a log that grows it follows. */
  readonly move: (top: number) => void;
  readonly show: (row: number) => void;
  readonly follow: (isFollowing: boolean) => void;
  readonly setHeight: (height: number) => void;
}

/** Where in `total` rows the view is. */
export function useLineScroll(total: number, isOver: boolean): LineView {
  const [height, setHeight] = useState(400);
  const [top, setTop] = useState(0);
  const [isFollowing, follow] = useState(false);
  const scroll = useMemo(
    () => ({ total, rowHeight: ROW_HEIGHT, viewHeight: height }),
    [total, height],
  );
  useEffect(() => {
    if (isFollowing) setTop(maxTop(scroll));
  }, [isFollowing, scroll]);
  const move = useCallback(
    (next: number) => {
      setTop(next);
      follow(!isOver && next >= maxTop(scroll) - 1);
    },
    [scroll, isOver],
  );
  const show = useCallback(
    (row: number) => {
      follow(false);
      setTop((before) => topToShow(scroll, before, row));
    },
    [scroll],
  );
  return { scroll, top, isFollowing, move, show, follow, setHeight };
}
