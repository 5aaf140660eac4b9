import { Anchor, Badge, Button, Group, Table, Text, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';

import { fetchClient } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { useRefreshOn } from '../../app/live.tsx';
import { useMay, useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Instant } from '../../ui/instant.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { RunForBizdate } from '../instances/run-for-bizdate.tsx';
import { NewWorkflow } from './new-workflow.tsx';

type WorkflowSummary = components['schemas']['WorkflowSummary'];

const WORKFLOWS = '/api/v1/workspaces/{ws}/workflows';

interface ListPage {
  readonly items: readonly WorkflowSummary[];
  readonly nextCursor: string | null;
}

export function Component(): ReactNode {
  const { t } = useTranslation(['workflows', 'instances']);
  const { name: ws } = useWorkspace();
  const mayDevelop = useMay('develop');
  const [search, setSearch] = useSearchParams();
  const filter = search.get('q') ?? '';
  const runOf = search.get('run');
  const list = useInfiniteQuery({
    queryKey: ['get', WORKFLOWS, 'pages', ws],
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: ListPage | undefined) => page?.nextCursor ?? undefined,
    queryFn: async ({ pageParam, signal }): Promise<ListPage | undefined> => {
      const cursor = pageParam === undefined ? {} : { cursor: pageParam };
      const params = { path: { ws }, query: { limit: 200, ...cursor } };
      return (await fetchClient.GET(WORKFLOWS, { params, signal })).data;
    },
  });
  useRefreshOn(['workflow.'], [WORKFLOWS]);
  const set = (key: string, value: string | null): void =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === null || value === '') next.delete(key);
        else next.set(key, value);
        return next;
      },
      { replace: key === 'q' },
    );
  const all = list.data?.pages.flatMap((page) => page?.items ?? []);
  const shown = all?.filter(({ name, description }) =>
    `${name}\n${description}`.toLowerCase().includes(filter.toLowerCase()),
  );
  const createButton = mayDevelop && (
    <Button onClick={() => set('new', '1')}>{t('list.new')}</Button>
  );
  return (
    <Page title={t('list.title')} actions={createButton}>
      <TextInput
        aria-label={t('list.filter')}
        placeholder={t('list.filter')}
        value={filter}
        maw={320}
        onChange={(event) => set('q', event.currentTarget.value)}
      />
      {list.error !== null && (
        <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isPending && <PageLoader />}
      {all?.length === 0 && (
        <EmptyState title={t('list.empty')} action={createButton}>
          {t('list.emptyText')}
        </EmptyState>
      )}
      {all !== undefined && all.length > 0 && shown?.length === 0 && (
        <EmptyState
          title={t('list.filteredOut')}
          action={
            <Button variant="default" onClick={() => set('q', null)}>
              {t('list.clear')}
            </Button>
          }
        />
      )}
      {shown !== undefined && shown.length > 0 && (
        <WorkflowTable workflows={shown} onRun={(id) => set('run', id)} />
      )}
      {list.hasNextPage && (
        <Button
          variant="default"
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {t('list.more')}
        </Button>
      )}
      {search.get('new') !== null && <NewWorkflow onClose={() => set('new', null)} />}
      {runOf !== null && <RunForBizdate opened workflow={runOf} onClose={() => set('run', null)} />}
    </Page>
  );
}

function WorkflowTable({
  workflows,
  onRun,
}: {
  readonly workflows: readonly WorkflowSummary[];
  readonly onRun: (id: string) => void;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const pathOf = useWorkspacePath();
  const mayDevelop = useMay('develop');
  return (
    <Table.ScrollContainer minWidth={720}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('list.name')}</Table.Th>
            <Table.Th>{t('list.version')}</Table.Th>
            <Table.Th>{t('list.scheduled')}</Table.Th>
            <Table.Th>{t('list.edited')}</Table.Th>
            <Table.Th>
              <span className="mr-visually-hidden">{t('list.actions')}</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {workflows.map(({ id, name, description, latestVersion, scheduled, updatedAt }) => (
            <Table.Tr key={id}>
              <Table.Td>
                <Anchor component={Link} to={pathOf(`studio/wf/${id}`)} underline="always">
                  {name}
                </Anchor>
                <Text size="xs" c="dimmed" lineClamp={2}>
                  {description}
                </Text>
              </Table.Td>
              <Table.Td>
                {latestVersion === null
                  ? t('list.never')
                  : t('list.versionNo', { version: latestVersion })}
              </Table.Td>
              <Table.Td>
                <Badge variant="outline" color="gray" c="var(--mr-text)" tt="none">
                  {scheduled ? `✓ ${t('list.isScheduled')}` : `○ ${t('list.notScheduled')}`}
                </Badge>
              </Table.Td>
              <Table.Td>
                <Instant at={updatedAt} />
              </Table.Td>
              <Table.Td>
                <Group justify="flex-end">
                  {mayDevelop && (
                    <Button
                      size="xs"
                      variant="default"
                      disabled={latestVersion === null}
                      onClick={() => onRun(id)}
                    >
                      {t('list.run')}
                      <span className="mr-visually-hidden">: {name}</span>
                    </Button>
                  )}
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
