import {
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useEffect, useRef } from 'react';

import { fetchClient } from '../../api/client.ts';
import type { paths } from '../../api/schema.gen.ts';
import { useLiveEvents } from '../../app/live.tsx';
import { useWorkspace } from '../../app/workspace.tsx';
import type { InstanceFilters } from './instance-filters.ts';
import { FACETS_PATH, type Instance, LIST_PATH } from './instances-api.ts';

type ListQuery = NonNullable<paths[typeof LIST_PATH]['get']['parameters']['query']>;
type FacetsQuery = NonNullable<paths[typeof FACETS_PATH]['get']['parameters']['query']>;

interface InstancePage {
  readonly items: readonly Instance[];
  readonly nextCursor: string | null;
}

const PAGE = 100;
const REFRESH_MS = 1_000;

/** Counts by value of a facet. */
export type Counts = Readonly<Record<string, number>>;

export interface Facets {
  readonly total: number;
  readonly status: Counts;
  readonly nodeType: Counts;
  readonly resourceGroup: Counts;
  readonly workflow: Counts;
}

/** The instances that match, in pages that are loaded as the list is scrolled down, and kept right by events. */
export function useInstanceList(filters: InstanceFilters) {
  const { name: ws } = useWorkspace();
  const list = useInfiniteQuery({
    queryKey: ['get', LIST_PATH, ws, filters],
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: InstancePage | undefined) => page?.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    queryFn: async ({ pageParam, signal }): Promise<InstancePage | undefined> => {
      const query = {
        ...filters,
        limit: PAGE,
        ...(pageParam === undefined ? {} : { cursor: pageParam }),
      } as ListQuery;
      const { data } = await fetchClient.GET(LIST_PATH, {
        params: { path: { ws }, query },
        signal,
      });
      return data;
    },
  });
  useRefreshOfPages(list.data?.pages.length ?? 1);
  const items: readonly Instance[] = list.data?.pages.flatMap((page) => page?.items ?? []) ?? [];
  return { ...list, items };
}

/** Counts for the chips and choices: of what matches but for the filter by state itself. */
export function useFacets({ status: _status, frozen: _frozen, ...filters }: InstanceFilters) {
  const { name: ws } = useWorkspace();
  return useQuery({
    queryKey: ['get', FACETS_PATH, ws, filters],
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<Facets | undefined> => {
      const { data } = await fetchClient.GET(FACETS_PATH, {
        params: { path: { ws }, query: filters as FacetsQuery },
        signal,
      });
      return (
        data && {
          total: data.total,
          status: countsOf(data.status),
          nodeType: countsOf(data.nodeType),
          resourceGroup: countsOf(data.resourceGroup),
          workflow: countsOf(data.workflow),
        }
      );
    },
  });
}

function countsOf(facet: readonly { readonly value: string; readonly count: number }[]): Counts {
  return Object.fromEntries(facet.map(({ value, count }) => [value, count]));
}

/**
 * Loads the list again when something happened, at once and then at most once a second for each page that
 * is loaded: who has scrolled far asks for many pages each time.
 */
function useRefreshOfPages(pages: number): void {
  const client = useQueryClient();
  const state = useRef<{ timer?: ReturnType<typeof setTimeout>; isDue: boolean }>({ isDue: false });
  const wait = useRef(REFRESH_MS);
  wait.current = REFRESH_MS * Math.max(1, pages);
  const refresh = (): void => {
    if (state.current.timer !== undefined) {
      state.current.isDue = true;
      return;
    }
    state.current.isDue = false;
    void client.invalidateQueries({
      predicate: ({ queryKey }) => queryKey[1] === LIST_PATH || queryKey[1] === FACETS_PATH,
    });
    state.current.timer = setTimeout(() => {
      delete state.current.timer;
      if (state.current.isDue) refresh();
    }, wait.current);
  };
  useEffect(() => () => clearTimeout(state.current.timer), []);
  useLiveEvents({
    onEvents: ({ events }) => {
      if (events.some(({ type }) => /^(instance|run)\./.test(type))) refresh();
    },
    onReset: refresh,
  });
}
