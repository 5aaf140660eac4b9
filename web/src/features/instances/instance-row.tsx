import { Anchor, Checkbox } from '@mantine/core';
import { memo, type MouseEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { useWorkspacePath } from '../../app/workspace.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { dateIn, formatDuration, formatInstant, formatTime } from '../../ui/time.ts';
import { visibleStateOf } from '../../ui/visible-state.ts';
import { useZone } from '../../ui/zone.ts';
import type { Instance } from './instances-api.ts';
import classes from './instances-table.module.css';
import { durationOf } from './phases.ts';

interface InstanceRowProps {
  readonly instance: Instance;
  readonly index: number;
  /** Of the row in the list, in px. */
  readonly top: number;
  readonly now: number;
  readonly isCursor: boolean;
  readonly isSelected: boolean;
  readonly isOpened: boolean;
  readonly onCursor: (index: number) => void;
  readonly onOpen: (id: string) => void;
  readonly onToggle: (id: string, isRange: boolean) => void;
}

export const InstanceRow = memo(function InstanceRow({
  instance,
  index,
  top,
  isCursor,
  isSelected,
  isOpened,
  now,
  onCursor,
  onOpen,
  onToggle,
}: InstanceRowProps): ReactNode {
  const { t } = useTranslation('instances');
  const pathOf = useWorkspacePath();
  const { id, node } = instance;
  const onClick = (event: MouseEvent): void => {
    if ((event.target as HTMLElement).closest('a, input, label') !== null) return;
    onCursor(index);
    if (event.shiftKey) onToggle(id, true);
    else if (event.ctrlKey || event.metaKey) onToggle(id, false);
    else onOpen(id);
  };
  return (
    <div
      role="row"
      id={`instance-row-${index}`}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      data-cursor={isCursor || undefined}
      data-opened={isOpened || undefined}
      data-instance={id}
      className={classes['row']}
      style={{ transform: `translateY(${top}px)` }}
      onClick={onClick}
      // Shift-click chooses rows, not their text.
      onMouseDown={(event) => event.shiftKey && event.preventDefault()}
    >
      <div role="gridcell" className={classes['check']}>
        <Checkbox
          size="sm"
          tabIndex={-1}
          aria-label={t('select.one', { node: node.name })}
          checked={isSelected}
          onChange={(event) => onToggle(id, (event.nativeEvent as unknown as MouseEvent).shiftKey)}
        />
      </div>
      <div role="gridcell">
        <StateBadge state={visibleStateOf(instance)} />
      </div>
      <Cell
        first={
          <Anchor
            component={Link}
            to={pathOf(`ops/instances/${id}`)}
            size="sm"
            c="var(--mr-text)"
            underline="always"
            tabIndex={-1}
          >
            {node.name}
          </Anchor>
        }
        second={instance.workflow.name}
        title={`${instance.workflow.name} › ${node.name}`}
      />
      <Times instance={instance} now={now} />
      <Cell first={instance.resourceGroup} title={instance.resourceGroup} />
    </div>
  );
});

function Times({
  instance,
  now,
}: {
  readonly instance: Instance;
  readonly now: number;
}): ReactNode {
  const { t } = useTranslation('instances');
  const zone = useZone();
  const { bizdate, scheduledTime, startedAt, attempt, nodeType, runGroupKind } = instance;
  const duration = durationOf(instance, now);
  return (
    <>
      <Cell
        first={bizdate}
        second={formatInstant(scheduledTime, zone).slice(0, 16)}
        title={`${scheduledTime} · ${zone}`}
      />
      <Cell first={nodeType} second={t(`kind.${runGroupKind}`)} title={nodeType} />
      <Cell
        first={startedAt === null ? '–' : formatTime(startedAt, zone)}
        second={startedAt === null ? '' : dateIn(startedAt, zone)}
        title={startedAt ?? ''}
      />
      <Cell
        first={duration === undefined ? '–' : formatDuration(duration)}
        second={attempt === 0 ? '' : t('row.attempt', { attempt })}
      />
    </>
  );
}

function Cell({
  first,
  second = '',
  title,
}: {
  readonly first: ReactNode;
  readonly second?: string;
  readonly title?: string;
}): ReactNode {
  return (
    <div role="gridcell" {...(title === undefined ? {} : { title })}>
      <div className={classes['first']}>{first}</div>
      {second !== '' && <div className={classes['second']}>{second}</div>}
    </div>
  );
}
