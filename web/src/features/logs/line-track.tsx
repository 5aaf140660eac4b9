import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
} from 'react';

import {
  clampTop,
  isScaled,
  type LineScroll,
  maxTop,
  rowsInView,
  topOf,
  trackHeight,
  trackOf,
} from './line-scroll.ts';
import classes from './log-viewer.module.css';

/** Rows below and above the view, so that a small scroll has them already. */
const OVERSCAN = 6;

/** Rows stand at the same place of the list until this many have passed: only those that come are painted. */
const ROWS_PER_ANCHOR = 10_000;

export interface LineTrackProps {
  readonly scroll: LineScroll;
  readonly top: number;
  readonly onTop: (top: number) => void;
  readonly onHeight: (height: number) => void;
  readonly label: string;
  readonly isWrapping: boolean;
  /** The row `no`, to be placed `top` pixels below the upper edge of the list. */
  readonly row: (no: number, top: number) => ReactNode;
}

/**
 * A scrolled list of rows of one height, of which only those in view are there. The scrollbar of the
 * browser moves it; where the list is longer than an element can be, a pixel of the bar is many of rows.
 */
export function LineTrack(props: LineTrackProps): ReactNode {
  const { scroll, top, onTop } = props;
  const { view, onScroll } = useTrack(props);
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = topAfterKey(event, scroll, top);
    if (next === undefined) return;
    event.preventDefault();
    onTop(clampTop(scroll, next));
  };
  const { first, last } = rowsInView(scroll, top);
  const anchor = first - (first % ROWS_PER_ANCHOR);
  const rows: ReactNode[] = [];
  for (let no = Math.max(0, first - OVERSCAN); no <= last + OVERSCAN && no < scroll.total; no++)
    rows.push(props.row(no, (no - anchor) * scroll.rowHeight));
  const offset = anchor * scroll.rowHeight - clampTop(scroll, top);
  return (
    <div
      ref={view}
      className={classes['view']}
      data-wrap={props.isWrapping || undefined}
      role="region"
      aria-label={props.label}
      tabIndex={0}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div className={classes['track']} style={{ height: trackHeight(scroll) }}>
        <div className={classes['window']} style={{ height: scroll.viewHeight }}>
          <div
            role="list"
            className={classes['rows']}
            style={{ transform: `translateY(${offset}px)` }}
          >
            {rows}
          </div>
        </div>
      </div>
    </div>
  );
}

/** Keeps the scrollbar where the rows are, and the rows where the scrollbar is dragged. */
function useTrack({ scroll, top, onTop, onHeight }: LineTrackProps): {
  readonly view: RefObject<HTMLDivElement | null>;
  readonly onScroll: () => void;
} {
  const view = useRef<HTMLDivElement>(null);
  const track = useRef(0);
  const latest = useRef({ scroll, top, onTop });
  latest.current = { scroll, top, onTop };

  useLayoutEffect(() => {
    if (view.current === null) return;
    const wanted = trackOf(scroll, top);
    // The browser rounds: what it moved itself is not moved again.
    if (Math.abs(view.current.scrollTop - wanted) > 1) view.current.scrollTop = wanted;
    track.current = view.current.scrollTop;
  }, [scroll, top]);

  useEffect(() => {
    const element = view.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => onHeight(element.clientHeight));
    observer.observe(element);
    const onWheel = (event: WheelEvent): void => {
      const { scroll: now, top: from, onTop: move } = latest.current;
      if (!isScaled(now) || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        return;
      event.preventDefault();
      move(clampTop(now, from + event.deltaY * (event.deltaMode === 1 ? now.rowHeight : 1)));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener('wheel', onWheel);
    };
  }, [onHeight]);

  const onScroll = (): void => {
    const at = view.current?.scrollTop ?? 0;
    if (Math.abs(at - track.current) < 1) return;
    track.current = at;
    onTop(topOf(scroll, at));
  };
  return { view, onScroll };
}

function topAfterKey(event: KeyboardEvent, scroll: LineScroll, top: number): number | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget)
    return undefined;
  const page = Math.max(scroll.rowHeight, scroll.viewHeight - scroll.rowHeight);
  if (event.key === 'ArrowDown') return top + scroll.rowHeight;
  if (event.key === 'ArrowUp') return top - scroll.rowHeight;
  if (event.key === 'PageDown' || (event.key === ' ' && !event.shiftKey)) return top + page;
  if (event.key === 'PageUp' || event.key === ' ') return top - page;
  if (event.key === 'Home') return 0;
  return event.key === 'End' ? maxTop(scroll) : undefined;
}
