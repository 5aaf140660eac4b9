import { useVirtualizer } from '@tanstack/react-virtual';
import type { ReactNode, RefObject } from 'react';
import { useTranslation } from 'react-i18next';

import { GutterRow } from './gutter-row.tsx';
import { nextBar } from './next-bar.ts';
import { AXIS_PX } from './painter.ts';
import { ROW_HEIGHT } from './row-model.ts';
import classes from './timeline-chart.module.css';
import type { TimelineScene } from './timeline-scene.ts';
import { isChoosing } from './use-chart-gestures.ts';
import { useRowFocus } from './use-row-focus.ts';

const OVERSCAN = 8;

/**
 * The names of the rows, and the canvas for those who do not see it: a tree grid in which the arrows go
 * from row to row and from bar to bar, and each row says what its bar shows.
 */
export function TimelineGutter({
  scene,
  scroller,
  onOpen,
  onGroup,
}: {
  readonly scene: TimelineScene;
  readonly scroller: RefObject<HTMLElement | null>;
  readonly onOpen: (instance: string) => void;
  readonly onGroup: (key: string) => void;
}): ReactNode {
  const { t } = useTranslation('timeline');
  const { rows } = scene;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
    scrollMargin: 0,
    scrollPaddingStart: AXIS_PX,
    getItemKey: (place) => rows[place]?.key ?? place,
  });
  const {
    focused,
    at: focusedAt,
    focus,
    act,
    choose,
    onKeyDown,
  } = useRowFocus({
    scene,
    onOpen,
    onGroup,
    reveal: (place) => {
      virtual.scrollToIndex(place);
      // The row may only be there after the scroll.
      requestAnimationFrame(() =>
        scroller.current?.querySelector<HTMLElement>(`[data-row="${place}"]`)?.focus(),
      );
    },
  });
  return (
    <div
      {...(rows.length > 0 && { role: 'treegrid', 'aria-multiselectable': true })}
      aria-label={t('rows.label')}
      aria-rowcount={rows.length}
      className={classes['gutter']}
      onKeyDown={onKeyDown}
      onBlur={() => scene.hover(undefined)}
    >
      {virtual.getVirtualItems().map(({ index, start }) => {
        const row = rows[index];
        if (row === undefined) return null;
        const isFocused = index === focused;
        return (
          <GutterRow
            key={row.key}
            scene={scene}
            row={row}
            place={index}
            top={start}
            isFocusable={isFocused}
            at={nextBar(scene, row, isFocused ? focusedAt : undefined, 0)}
            onClick={(event) => {
              const latest = nextBar(scene, row, undefined, 0);
              focus(row, undefined);
              if (isChoosing(event)) choose(row, latest, event.shiftKey);
              else act(row, latest);
            }}
          />
        );
      })}
    </div>
  );
}
