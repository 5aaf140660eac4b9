import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { StateBadge } from '../../ui/state-badge.tsx';
import { formatDuration, formatInstant } from '../../ui/time.ts';
import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import { useMayOperate } from '../../app/workspace.tsx';
import { useZone } from '../../ui/zone.ts';
import { timesSpent } from './bar-geometry.ts';
import type { BarStore } from './bar-store.ts';
import classes from './timeline-table.module.css';
import type { TimelineScene } from './timeline-scene.ts';
import { useSceneVersion } from './use-timeline.ts';

const ROW_PX = 32;
/** Behind the box that chooses. */
const COLUMNS = [
  'node',
  'state',
  'scheduled',
  'started',
  'ran',
  'upstream',
  'time',
  'resource',
] as const;

/** The same instances as rows of a table, with the waits that the canvas draws as numbers. */
export function TimelineTable({
  scene,
  onOpen,
}: {
  readonly scene: TimelineScene;
  readonly onOpen: (instance: string) => void;
}): ReactNode {
  const { t } = useTranslation('timeline');
  useSceneVersion(scene);
  const mayOperate = useMayOperate();
  const scroller = useRef<HTMLDivElement>(null);
  const bars = scene.data?.bars;
  const shown = bars === undefined ? [] : shownOf(scene, bars);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
  });
  return (
    <div
      ref={scroller}
      className={classes['scroller']}
      tabIndex={0}
      role="region"
      aria-label={t('table.label')}
    >
      <div role="table" aria-label={t('table.label')} aria-rowcount={shown.length + 1}>
        <div role="row" aria-rowindex={1} className={classes['head']}>
          <span role="columnheader">
            <span className="mr-visually-hidden">{t('table.choose')}</span>
          </span>
          {COLUMNS.map((column) => (
            <span key={column} role="columnheader">
              {t(`table.${column}`)}
            </span>
          ))}
        </div>
        <div role="rowgroup" className={classes['body']} style={{ height: virtual.getTotalSize() }}>
          {bars !== undefined &&
            virtual
              .getVirtualItems()
              .map(({ index, start }) => (
                <TableRow
                  key={bars.ids[shown[index]!]}
                  {...{ bars, scene, onOpen, mayOperate }}
                  at={shown[index]!}
                  place={index}
                  top={start}
                />
              ))}
        </div>
      </div>
    </div>
  );
}

function shownOf({ mask }: TimelineScene, bars: BarStore): number[] {
  const shown: number[] = [];
  for (let at = 0; at < bars.size; at++) if (mask[bars.state[at]!] === 1) shown.push(at);
  return shown;
}

function TableRow({
  bars,
  scene,
  at,
  place,
  top,
  onOpen,
  mayOperate,
}: {
  readonly bars: BarStore;
  readonly scene: TimelineScene;
  readonly at: number;
  readonly place: number;
  readonly top: number;
  readonly onOpen: (instance: string) => void;
  readonly mayOperate: boolean;
}): ReactNode {
  const { t } = useTranslation('timeline');
  const zone = useZone();
  const name = bars.nodes[bars.node[at]!]?.name ?? '';
  const { wait, ran } = timesSpent(bars, at, scene.now);
  const started = bars.started[at]!;
  const cells = [
    formatInstant(bars.scheduled[at]!, zone),
    Number.isNaN(started) ? '–' : formatInstant(started, zone),
    ran === undefined ? '–' : formatDuration(ran),
    ...[wait.upstream, wait.time, wait.resource].map((ms) => (ms > 0 ? formatDuration(ms) : '–')),
  ];
  return (
    <div
      role="row"
      aria-rowindex={place + 2}
      className={classes['row']}
      style={{ top, height: ROW_PX }}
      data-zebra={place % 2 === 1}
    >
      <span role="cell">
        {mayOperate && (
          <input
            type="checkbox"
            className={classes['choose']}
            aria-label={t('table.chooseOne', { name, at: cells[0] })}
            checked={scene.choice.has(at)}
            onChange={() => scene.chooseBar(at, false)}
          />
        )}
      </span>
      <span role="cell">
        <button type="button" className={classes['open']} onClick={() => onOpen(bars.ids[at]!)}>
          {name}
        </button>
      </span>
      <span role="cell">
        <StateBadge state={VISIBLE_STATES[bars.state[at]!]!} />
      </span>
      {cells.map((text, column) => (
        // Columns never change places.
        <span role="cell" key={COLUMNS[column + 2]}>
          {text}
        </span>
      ))}
    </div>
  );
}
