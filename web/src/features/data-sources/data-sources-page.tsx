import { Anchor, Button, Table, Text, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';

import { fetchClient } from '../../api/client.ts';
import { useRefreshOn } from '../../app/live.tsx';
import { useMay, useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { type DataSource, SOURCES } from './data-source-api.ts';
import { NewDataSource } from './new-data-source.tsx';
import { usePluginTypes } from './plugin-types.ts';
import { TestStatus } from './test-status.tsx';

interface ListPage {
  readonly items: readonly DataSource[];
  readonly nextCursor: string | null;
}

export function Component(): ReactNode {
  const { t } = useTranslation(['data-sources', 'errors']);
  const { name: ws } = useWorkspace();
  const mayWrite = useMay('writeDataSources');
  const [search, setSearch] = useSearchParams();
  const filter = search.get('q') ?? '';
  const list = useInfiniteQuery({
    queryKey: ['get', SOURCES, 'pages', ws],
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: ListPage | undefined) => page?.nextCursor ?? undefined,
    queryFn: async ({ pageParam, signal }): Promise<ListPage | undefined> => {
      const cursor = pageParam === undefined ? {} : { cursor: pageParam };
      const params = { path: { ws }, query: { limit: 200, ...cursor } };
      return (await fetchClient.GET(SOURCES, { params, signal })).data;
    },
  });
  useRefreshOn(['dataSource.'], [SOURCES]);
  const set = (changes: Readonly<Record<string, string | null>>, replace = false): void =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [key, value] of Object.entries(changes))
          if (value === null || value === '') next.delete(key);
          else next.set(key, value);
        return next;
      },
      { replace },
    );
  const all = list.data?.pages.flatMap((page) => page?.items ?? []);
  const shown = all?.filter(({ name, type, description }) =>
    `${name}\n${type}\n${description}`.toLowerCase().includes(filter.toLowerCase()),
  );
  const createButton = mayWrite && (
    <Button onClick={() => set({ new: '1' })}>{t('list.new')}</Button>
  );
  return (
    <Page title={t('list.title')} actions={createButton}>
      <TextInput
        aria-label={t('list.filter')}
        placeholder={t('list.filter')}
        value={filter}
        maw={320}
        onChange={(event) => set({ q: event.currentTarget.value }, true)}
      />
      {list.error !== null && (
        <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isPending && <PageLoader />}
      {all?.length === 0 && (
        <EmptyState title={t('list.empty')} action={createButton}>
          {t(mayWrite ? 'list.emptyText' : 'list.emptyAsk')}
        </EmptyState>
      )}
      {all !== undefined && all.length > 0 && shown?.length === 0 && (
        <EmptyState
          title={t('list.filteredOut')}
          action={
            <Button variant="default" onClick={() => set({ q: null })}>
              {t('list.clear')}
            </Button>
          }
        />
      )}
      {shown !== undefined && shown.length > 0 && <SourceTable sources={shown} />}
      {list.hasNextPage && (
        <Button
          variant="default"
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {t('list.more')}
        </Button>
      )}
      {search.get('new') !== null && (
        <NewDataSource
          type={search.get('type')}
          onType={(type) => set({ type })}
          onClose={() => set({ new: null, type: null })}
        />
      )}
    </Page>
  );
}

function SourceTable({ sources }: { readonly sources: readonly DataSource[] }): ReactNode {
  const { t } = useTranslation('data-sources');
  const pathOf = useWorkspacePath();
  const { dataSources } = usePluginTypes();
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('list.name')}</Table.Th>
            <Table.Th>{t('list.type')}</Table.Th>
            <Table.Th>{t('list.tested')}</Table.Th>
            <Table.Th>{t('list.environment')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sources.map((source) => (
            <Table.Tr key={source.id}>
              <Table.Td>
                <Anchor
                  component={Link}
                  to={pathOf(`data/sources/${source.id}`)}
                  underline="always"
                >
                  {source.name}
                </Anchor>
                <Text size="xs" c="dimmed">
                  {source.description}
                </Text>
              </Table.Td>
              <Table.Td>
                {dataSources?.find(({ type }) => type === source.type)?.title ?? source.type}
              </Table.Td>
              <Table.Td>
                <TestStatus source={source} />
              </Table.Td>
              <Table.Td>{t(`environment.${source.environment}`)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
