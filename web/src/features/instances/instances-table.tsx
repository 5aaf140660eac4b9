import { Checkbox } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { InstanceRow } from './instance-row.tsx';
import type { Instance } from './instances-api.ts';
import classes from './instances-table.module.css';
import type { Selection } from './selection.ts';

const ROW_HEIGHT = 48;
const OVERSCAN = 12;
/** How many rows before the last one the next page is asked for. */
const AHEAD = 30;

const COLUMNS = [
  ['state'],
  ['node', 'workflow'],
  ['bizdate', 'scheduled'],
  ['nodeType', 'kind'],
  ['started'],
  ['duration', 'attempt'],
  ['resourceGroup'],
] as const;

interface InstancesTableProps {
  readonly items: readonly Instance[];
  /** How many there are, where it is known. */
  readonly total: number | undefined;
  readonly cursor: number;
  readonly selection: Selection;
  readonly opened: string | null;
  readonly now: number;
  readonly hasMore: boolean;
  readonly onMore: () => void;
  readonly onCursor: (index: number) => void;
  readonly onOpen: (id: string) => void;
  readonly onToggle: (id: string, isRange: boolean) => void;
  readonly onToggleAll: () => void;
}

/** Rows of fixed height, of which only those in sight exist. */
export function InstancesTable(props: InstancesTableProps): ReactNode {
  const { items, total, cursor, selection, hasMore, onMore, onCursor, onToggleAll } = props;
  const { t } = useTranslation('instances');
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
    // The head sticks to the top of the same element.
    scrollPaddingStart: ROW_HEIGHT,
  });
  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= items.length - AHEAD) onMore();
  }, [hasMore, last, items.length, onMore]);
  useEffect(() => {
    if (cursor >= 0) rows.scrollToIndex(cursor, { align: 'auto' });
  }, [cursor, rows]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1;
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page }[event.key];
    const edge = { Home: 0, End: items.length - 1 }[event.key];
    if (by === undefined && edge === undefined) return;
    event.preventDefault();
    onCursor(edge ?? Math.min(items.length - 1, Math.max(0, cursor + (by ?? 0))));
  };
  const isAll = items.length > 0 && items.every(({ id }) => selection.ids.has(id));
  return (
    <div
      ref={scroller}
      role="grid"
      className={classes['grid']}
      tabIndex={0}
      aria-label={t('title')}
      aria-rowcount={(total ?? items.length) + 1}
      aria-multiselectable="true"
      {...(cursor >= 0 ? { 'aria-activedescendant': `instance-row-${cursor}` } : {})}
      onKeyDown={onKeyDown}
    >
      <div role="row" aria-rowindex={1} className={classes['head']}>
        <div role="columnheader" className={classes['check']}>
          <Checkbox
            size="sm"
            aria-label={t('select.all')}
            checked={isAll}
            indeterminate={!isAll && selection.ids.size > 0}
            onChange={onToggleAll}
          />
        </div>
        {COLUMNS.map((names) => (
          <div key={names[0]} role="columnheader">
            <div>{t(`column.${names[0]}`)}</div>
            {names[1] !== undefined && (
              <div className={classes['second']}>{t(`column.${names[1]}`)}</div>
            )}
          </div>
        ))}
      </div>
      <div role="rowgroup" style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {visible.map(({ index, start }) => {
          const instance = items[index];
          return (
            instance !== undefined && (
              <InstanceRow
                key={instance.id}
                instance={instance}
                index={index}
                top={start}
                now={props.now}
                isCursor={index === cursor}
                isSelected={selection.ids.has(instance.id)}
                isOpened={instance.id === props.opened}
                onCursor={onCursor}
                onOpen={props.onOpen}
                onToggle={props.onToggle}
              />
            )
          );
        })}
      </div>
    </div>
  );
}
