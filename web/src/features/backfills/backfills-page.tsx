import { Anchor, Button, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';

import { $api, fetchClient } from '../../api/client.ts';
import { useRefreshOn } from '../../app/live.tsx';
import { useMayOperate, useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Instant } from '../../ui/instant.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { type Backfill, BACKFILLS } from './backfill-api.ts';
import { BackfillProgress } from './backfill-progress.tsx';
import { specOf } from './backfill-range.ts';
import { NewBackfill } from './new-backfill.tsx';

interface ListPage {
  readonly items: readonly Backfill[];
  readonly nextCursor: string | null;
}

export function Component(): ReactNode {
  const { t } = useTranslation('backfills');
  const { name: ws } = useWorkspace();
  const mayOperate = useMayOperate();
  const [search, setSearch] = useSearchParams();
  const list = useInfiniteQuery({
    queryKey: ['get', BACKFILLS, 'pages', ws],
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: ListPage | undefined) => page?.nextCursor ?? undefined,
    queryFn: async ({ pageParam, signal }): Promise<ListPage | undefined> => {
      const cursor = pageParam === undefined ? {} : { cursor: pageParam };
      const params = { path: { ws }, query: { limit: 50, ...cursor } };
      return (await fetchClient.GET(BACKFILLS, { params, signal })).data;
    },
  });
  useRefreshOn(['instance.', 'run.', 'backfill.'], [BACKFILLS]);
  const open = (isOpen: boolean): void => setSearch(isOpen ? { new: '1' } : {});
  const items = list.data?.pages.flatMap((page) => page?.items ?? []);
  const createButton = mayOperate && <Button onClick={() => open(true)}>{t('list.new')}</Button>;
  return (
    <Page title={t('list.title')} actions={createButton}>
      {list.error !== null && (
        <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isPending && <PageLoader />}
      {items?.length === 0 && (
        <EmptyState title={t('list.empty')} action={createButton}>
          {t(mayOperate ? 'list.emptyText' : 'list.emptyAsk')}
        </EmptyState>
      )}
      {items !== undefined && items.length > 0 && <BackfillTable backfills={items} />}
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
        <NewBackfill workflow={search.get('workflow')} onClose={() => open(false)} />
      )}
    </Page>
  );
}

function BackfillTable({ backfills }: { readonly backfills: readonly Backfill[] }): ReactNode {
  const { t } = useTranslation('backfills');
  return (
    <Table.ScrollContainer minWidth={860}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('list.name')}</Table.Th>
            <Table.Th>{t('list.workflow')}</Table.Th>
            <Table.Th>{t('list.range')}</Table.Th>
            <Table.Th>{t('list.progress')}</Table.Th>
            <Table.Th>{t('list.created')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {backfills.map((backfill) => (
            <BackfillRow key={backfill.id} backfill={backfill} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function BackfillRow({ backfill }: { readonly backfill: Backfill }): ReactNode {
  const { t } = useTranslation('backfills');
  const { name: ws } = useWorkspace();
  const pathOf = useWorkspacePath();
  const workflows = $api.useQuery('get', '/api/v1/workspaces/{ws}/workflows', {
    params: { path: { ws }, query: { limit: 500 } },
  });
  const { from, to, order, workflow } = specOf(backfill.spec);
  const name = workflows.data?.items.find(({ id }) => id === workflow)?.name;
  const [, ...others] = backfill.workflows;
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} to={pathOf(`ops/backfills/${backfill.id}`)} underline="always">
          {backfill.name}
        </Anchor>
        <Text size="xs">{t(`state.${backfill.state}`)}</Text>
      </Table.Td>
      <Table.Td>
        {workflow === undefined ? (
          '–'
        ) : (
          <Anchor component={Link} to={pathOf(`studio/wf/${workflow}`)} underline="always">
            {name ?? workflow}
          </Anchor>
        )}
        {others.length > 0 && (
          <Text size="xs" c="dimmed">
            {t('list.andWorkflows', { names: others.join(', ') })}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        {from === undefined || to === undefined ? (
          '–'
        ) : (
          <>
            <Anchor component={Link} to={pathOf(`ops/timeline?bizdate=${to}`)} underline="always">
              {t('list.fromTo', { from, to })}
            </Anchor>
            <Text size="xs" c="dimmed">
              {t(order === 'desc' ? 'order.desc' : 'order.asc')}
            </Text>
          </>
        )}
      </Table.Td>
      <Table.Td miw={240}>
        <BackfillProgress name={backfill.name} statuses={backfill.statuses} />
      </Table.Td>
      <Table.Td>
        <Instant at={backfill.createdAt} />
        <Text size="xs" c="dimmed">
          {backfill.createdBy ?? '–'}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}
