import { useLocalStorage } from '@mantine/hooks';
import type { KeyboardEvent, PointerEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './instance-drawer.module.css';

const MIN = 360;
const MAX = 1100;
const START = 480;
const STEP = 24;

/** The width of the drawer in px, as it was left. */
export function useDrawerWidth(): readonly [number, (width: number) => void] {
  const [width, setWidth] = useLocalStorage({
    key: 'millrace-drawer-width',
    defaultValue: START,
    getInitialValueInEffect: false,
  });
  return [clamp(width), (wanted) => setWidth(clamp(wanted))];
}

function clamp(width: number): number {
  return Math.round(Math.min(MAX, Math.max(MIN, Number.isFinite(width) ? width : START)));
}

/** The edge by which the drawer is made wider: by pointer, and by the arrow keys. */
export function DrawerEdge({
  width,
  onWidth,
}: {
  readonly width: number;
  readonly onWidth: (width: number) => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onWidth(width + by);
  };
  const onPointerDown = (event: PointerEvent): void =>
    event.currentTarget.setPointerCapture(event.pointerId);
  const onPointerMove = (event: PointerEvent): void => {
    if (event.currentTarget.hasPointerCapture(event.pointerId))
      onWidth(window.innerWidth - event.clientX);
  };
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={t('drawer.width')}
      aria-valuenow={width}
      aria-valuemin={MIN}
      aria-valuemax={MAX}
      tabIndex={0}
      className={classes['edge']}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
    />
  );
}
