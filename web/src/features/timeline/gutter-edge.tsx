import { type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { create } from 'zustand';
import { persist } from 'zustand/middleware';

import classes from './timeline-chart.module.css';

const LEAST = 180;
const MOST = 640;
const KEY_STEP = 16;

const useWidth = create<{ width: number; setWidth: (width: number) => void }>()(
  persist(
    (set) => ({
      width: 320,
      setWidth: (width) => set({ width: Math.min(MOST, Math.max(LEAST, Math.round(width))) }),
    }),
    { name: 'millrace-timeline-gutter' },
  ),
);

export function useGutterWidth(): [number, (width: number) => void] {
  const { width, setWidth } = useWidth();
  return [width, setWidth];
}

/** The edge between gutter and canvas: dragged, or moved by the arrow keys. */
export function GutterEdge({
  width,
  onWidth,
}: {
  readonly width: number;
  readonly onWidth: (width: number) => void;
}): ReactNode {
  const { t } = useTranslation('timeline');
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    const edge = event.currentTarget;
    const start = event.clientX;
    edge.setPointerCapture(event.pointerId);
    const onMove = (move: globalThis.PointerEvent): void => onWidth(width + move.clientX - start);
    edge.addEventListener('pointermove', onMove);
    edge.addEventListener(
      'lostpointercapture',
      () => edge.removeEventListener('pointermove', onMove),
      {
        once: true,
      },
    );
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -KEY_STEP, ArrowRight: KEY_STEP }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    onWidth(width + by);
  };
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={t('rows.width')}
      aria-valuenow={width}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      className={classes['edge']}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}
