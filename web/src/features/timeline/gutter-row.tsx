import { ChevronDownIcon, ChevronRightIcon } from 'lucide-react';
import type { MouseEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { StateSwatch } from '../../ui/state-badge.tsx';
import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import { barText } from './bar-text.ts';
import { ROW_HEIGHT, type TimelineRow } from './row-model.ts';
import classes from './timeline-chart.module.css';
import type { TimelineScene } from './timeline-scene.ts';

/** A row's name; of a node also the state of its latest instance, or of the one that has the focus. */
export function GutterRow({
  scene,
  row,
  place,
  top,
  isFocusable,
  at,
  onClick,
}: {
  readonly scene: TimelineScene;
  readonly row: TimelineRow;
  readonly place: number;
  readonly top: number;
  readonly isFocusable: boolean;
  readonly at: number | undefined;
  readonly onClick: (event: MouseEvent) => void;
}): ReactNode {
  const { t } = useTranslation(['timeline', 'ui']);
  const bars = scene.data?.bars;
  const isGroup = row.kind === 'group';
  const isTree = isGroup && bars !== undefined;
  const label = isGroup
    ? t('timeline:rows.group', { name: row.label, count: row.count })
    : bars === undefined || at === undefined
      ? ''
      : barText(t, bars, { at, now: scene.now });
  return (
    <div
      role="row"
      aria-level={isGroup ? 1 : 2}
      aria-rowindex={place + 1}
      {...(isTree && { 'aria-expanded': !row.isFolded })}
      aria-label={label}
      {...(!isGroup && at !== undefined && { 'aria-selected': scene.choice.has(at) })}
      tabIndex={isFocusable ? 0 : -1}
      data-row={place}
      data-kind={row.kind}
      data-zebra={place % 2 === 1}
      className={classes['row']}
      style={{ top, height: ROW_HEIGHT }}
      onClick={onClick}
    >
      <div role="gridcell" className={classes['cell']}>
        {isGroup ? <GroupCell row={row} isTree={isTree} /> : <NodeCell {...{ scene, row, at }} />}
      </div>
    </div>
  );
}

function GroupCell({
  row,
  isTree,
}: {
  readonly row: TimelineRow & { kind: 'group' };
  readonly isTree: boolean;
}): ReactNode {
  const Chevron = row.isFolded ? ChevronRightIcon : ChevronDownIcon;
  return (
    <>
      {isTree && <Chevron aria-hidden size={14} className={classes['chevron'] ?? ''} />}
      <span className={classes['name']} title={row.label}>
        {row.label}
      </span>
      <span className={classes['count']}>{row.count}</span>
    </>
  );
}

function NodeCell({
  scene,
  row,
  at,
}: {
  readonly scene: TimelineScene;
  readonly row: TimelineRow & { kind: 'node' };
  readonly at: number | undefined;
}): ReactNode {
  const bars = scene.data?.bars;
  const node = bars?.nodes[row.node];
  const state = at === undefined ? undefined : VISIBLE_STATES[bars?.state[at] ?? 0];
  const count = bars?.ofNode[row.node]?.length ?? 0;
  return (
    <>
      {state !== undefined && <StateSwatch state={state} />}
      <span className={classes['name']} title={node?.name}>
        {node?.name}
      </span>
      {count > 1 && <span className={classes['count']}>{count}</span>}
    </>
  );
}
