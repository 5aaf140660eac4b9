import { Anchor, Button, Code, Stack, Table, Text } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';

import { fetchClient } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Instant } from '../../ui/instant.tsx';
import { ListTable } from '../../ui/list-table.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { useZone } from '../../ui/zone.ts';
import { type AuditFilter, filterOf, FILTERS, queryOf } from './audit-filter.ts';
import { AuditFilters } from './audit-filters.tsx';
import { pageOfTarget } from './audit-target.ts';

type Entry = components['schemas']['AuditEntry'];

interface ListPage {
  readonly items: readonly Entry[];
  readonly nextCursor: string | null;
}

const AUDIT = '/api/v1/workspaces/{ws}/audit';

/** Who did what to what, and why. The filters are in the address. */
export function Component(): ReactNode {
  const { t } = useTranslation('audit');
  const [params, setParams] = useSearchParams();
  const filter = filterOf(params);
  const list = useAudit(filter);
  const entries = list.data?.pages.flatMap((page) => page?.items ?? []);
  const set = (changes: AuditFilter): void =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        for (const [name, value] of Object.entries(changes))
          if (value === '') after.delete(name);
          else after.set(name, value);
        return after;
      },
      { replace: true },
    );
  const clear = (): void => set(Object.fromEntries(FILTERS.map((name) => [name, ''])));
  return (
    <Page title={t('title')}>
      <Stack>
        <AuditFilters
          filter={filter}
          onFilter={(name, value) => set({ [name]: value })}
          onClear={clear}
        />
        <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />
        {list.isPending && <PageLoader />}
        {entries?.length === 0 && (
          <EmptyState title={t(Object.keys(filter).length > 0 ? 'filtered' : 'none')}>
            {t('noneText')}
          </EmptyState>
        )}
        {entries !== undefined && entries.length > 0 && (
          <AuditTable entries={entries} onFilter={set} />
        )}
        {list.hasNextPage && (
          <Button
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            {t('more')}
          </Button>
        )}
      </Stack>
    </Page>
  );
}

function useAudit(filter: AuditFilter) {
  const { name: ws } = useWorkspace();
  const query = queryOf(filter, useZone());
  return useInfiniteQuery({
    queryKey: ['get', AUDIT, ws, query],
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: ListPage | undefined) => page?.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    queryFn: async ({ pageParam, signal }): Promise<ListPage | undefined> => {
      const cursor = pageParam === undefined ? {} : { cursor: pageParam };
      const asked = { path: { ws }, query: { ...query, limit: 100, ...cursor } };
      return (await fetchClient.GET(AUDIT, { params: asked, signal })).data;
    },
  });
}

function AuditTable({
  entries,
  onFilter,
}: {
  readonly entries: readonly Entry[];
  readonly onFilter: (filter: AuditFilter) => void;
}): ReactNode {
  const { t } = useTranslation('audit');
  return (
    <ListTable
      label={t('title')}
      minWidth={960}
      head={[t('at'), t('user'), t('action'), t('target'), t('fields'), t('comment')]}
    >
      {entries.map(({ at, user, action, target, fields, comment }, place) => (
        // Several may be of one moment, and none ever changes its place.
        <Table.Tr key={`${at} ${target} ${place}`}>
          <Table.Td style={{ whiteSpace: 'nowrap' }}>
            <Instant at={at} />
          </Table.Td>
          <Table.Td>
            {user === null ? (
              t('gone')
            ) : (
              <Anchor component="button" fz="sm" onClick={() => onFilter({ user })}>
                {user}
              </Anchor>
            )}
          </Table.Td>
          <Table.Td>
            <Code>{action}</Code>
          </Table.Td>
          <Table.Td>
            <Target target={target} />
          </Table.Td>
          <Table.Td>{fields.join(', ') || '–'}</Table.Td>
          <Table.Td style={{ overflowWrap: 'anywhere' }}>{comment ?? '–'}</Table.Td>
        </Table.Tr>
      ))}
    </ListTable>
  );
}

function Target({ target }: { readonly target: string }): ReactNode {
  const pathOf = useWorkspacePath();
  const page = pageOfTarget(target);
  if (page === undefined) return <Text size="sm">{target}</Text>;
  return (
    <Anchor component={Link} to={pathOf(page)} fz="sm" underline="always">
      {target}
    </Anchor>
  );
}
