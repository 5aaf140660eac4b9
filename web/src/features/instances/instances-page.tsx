import { Button, Skeleton } from '@mantine/core';
import { type ReactNode, useCallback, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';

import { EmptyState } from '../../ui/empty-state.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { isFinal } from '../../ui/visible-state.ts';
import { BulkBar } from './bulk-bar.tsx';
import { FilterRow } from './filter-row.tsx';
import { InstanceActions } from './instance-actions.tsx';
import { InstanceDrawer } from './instance-drawer.tsx';
import {
  countOf,
  FILTER_NAMES,
  type FilterName,
  filtersOf,
  type InstanceFilters,
  isFiltered,
} from './instance-filters.ts';
import type { Instance } from './instances-api.ts';
import { InstancesTable } from './instances-table.tsx';
import { RunForBizdateButton } from './run-for-bizdate.tsx';
import { NOTHING_SELECTED, selectRange, toggleAll, toggleRow } from './selection.ts';
import { type Facets, useFacets, useInstanceList } from './use-instance-list.ts';
import { useNow } from './use-instance.ts';
import { useRowKeys } from './use-row-keys.ts';

export function Component(): ReactNode {
  const { t } = useTranslation('instances');
  const { filters, opened, tab, setFilter, clear, open, setTab } = useAddress();
  const list = useInstanceList(filters);
  const facets = useFacets(filters);
  const rows = useRows(list.items, filters, open);
  const now = useNow(list.items.some(({ status }) => !isFinal(status)));
  const text = useRef<HTMLInputElement>(null);
  useRowKeys({ items: list.items, ...rows, isDrawerOpen: opened !== null, text });
  const { hasNextPage, isFetchingNextPage, fetchNextPage, items } = list;
  const more = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [isFetchingNextPage, fetchNextPage]);
  const chosen = items.filter(({ id }) => rows.selection.ids.has(id));
  const atCursor = items[rows.cursor];
  return (
    <Page title={t('title')} isWide actions={<RunForBizdateButton bizdate={filters.bizdate} />}>
      <FilterRow
        filters={filters}
        facets={facets.data}
        onFilter={setFilter}
        onClear={clear}
        textRef={text}
      />
      <LiveCounts facets={facets.data} />
      <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />
      {chosen.length > 0 && <BulkBar chosen={chosen} onClear={rows.clear} />}
      {/* `r` without a choice is about the row of the cursor. */}
      {chosen.length === 0 && opened === null && atCursor !== undefined && (
        <div hidden>
          <InstanceActions instances={[atCursor]} />
        </div>
      )}
      {list.isPending && <Skeleton h={320} aria-label={t('loading')} />}
      {list.isSuccess && items.length === 0 && (
        <Nothing isFiltered={isFiltered(filters)} onClear={clear} />
      )}
      {items.length > 0 && (
        <InstancesTable
          items={items}
          total={totalOf(facets.data, filters)}
          cursor={rows.cursor}
          selection={rows.selection}
          opened={opened}
          now={now}
          hasMore={hasNextPage}
          onMore={more}
          onCursor={rows.setCursor}
          onOpen={open}
          onToggle={rows.toggle}
          onToggleAll={rows.toggleAll}
        />
      )}
      {opened !== null && (
        <InstanceDrawer
          instanceId={opened}
          tab={tab}
          onTab={setTab}
          onClose={() => open(undefined)}
        />
      )}
    </Page>
  );
}

/** How many match where no filter is left out of the facets. */
function totalOf(
  facets: Facets | undefined,
  { status, frozen }: InstanceFilters,
): number | undefined {
  if (facets === undefined || frozen !== undefined) return undefined;
  return status === undefined
    ? facets.total
    : status.split(',').reduce((sum, each) => sum + (facets.status[each] ?? 0), 0);
}

/** Filters, the opened instance and its tab are in the address. */
function useAddress() {
  const [params, setParams] = useSearchParams();
  const filters = useMemo(() => filtersOf(params), [params]);
  const change = useCallback(
    (changes: Readonly<Record<string, string | undefined>>, replace: boolean): void =>
      setParams(
        (before) => {
          for (const [name, value] of Object.entries(changes)) {
            if (value === undefined) before.delete(name);
            else before.set(name, value);
          }
          return before;
        },
        { replace },
      ),
    [setParams],
  );
  return {
    filters,
    opened: params.get('inst'),
    tab: params.get('tab'),
    setFilter: (name: FilterName, value: string | undefined) =>
      // Typing makes no step to go back to; a choice does.
      change({ [name]: value }, name === 'q'),
    clear: () => change(Object.fromEntries(FILTER_NAMES.map((name) => [name, undefined])), false),
    open: useCallback(
      (id: string | undefined) =>
        change(
          { inst: id, attempt: undefined, ...(id === undefined ? { tab: undefined } : {}) },
          false,
        ),
      [change],
    ),
    setTab: (tab: string) => change({ tab }, true),
  };
}

/** The row of the cursor and the chosen rows; other filters begin anew. */
function useRows(
  items: readonly Instance[],
  filters: InstanceFilters,
  onOpen: (id: string) => void,
) {
  const key = JSON.stringify(filters);
  const [state, setState] = useState({ key, cursorId: '', selection: NOTHING_SELECTED });
  const current = state.key === key ? state : { key, cursorId: '', selection: NOTHING_SELECTED };
  const ids = useMemo(() => items.map(({ id }) => id), [items]);
  const select = (selection: typeof current.selection): void => setState({ ...current, selection });
  return {
    // By id: rows that come in above it do not move the cursor to another instance.
    cursor: ids.indexOf(current.cursorId),
    selection: current.selection,
    open: onOpen,
    setCursor: (index: number) =>
      setState((before) => ({
        ...current,
        selection: before.key === key ? before.selection : current.selection,
        cursorId: ids[index] ?? '',
      })),
    toggle: (id: string, isRange: boolean) =>
      setState((before) => {
        const { cursorId, selection } = before.key === key ? before : current;
        const next = isRange ? selectRange(selection, ids, id) : toggleRow(selection, id);
        return { key, cursorId, selection: next };
      }),
    toggleAll: () => select(toggleAll(current.selection, ids)),
    clear: () => select(NOTHING_SELECTED),
  };
}

/** What a screen reader is told of the list as it changes. */
function LiveCounts({ facets }: { readonly facets: Facets | undefined }): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <div className="mr-visually-hidden" role="status">
      {facets !== undefined &&
        [
          t('live.failed', { count: countOf(facets.status, 'failed') ?? 0 }),
          t('live.running', { count: countOf(facets.status, 'running') ?? 0 }),
          t('live.total', { count: facets.total }),
        ].join(', ')}
    </div>
  );
}

function Nothing({
  isFiltered: hasFilters,
  onClear,
}: {
  readonly isFiltered: boolean;
  readonly onClear: () => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  if (hasFilters)
    return (
      <EmptyState
        title={t('empty.filtered')}
        action={
          <Button variant="default" onClick={onClear}>
            {t('filter.clear')}
          </Button>
        }
      >
        {t('empty.filteredText')}
      </EmptyState>
    );
  return (
    <EmptyState title={t('empty.nothing')} action={<RunForBizdateButton />}>
      {t('empty.nothingText')}
    </EmptyState>
  );
}
