import { Anchor, Badge, Button, Code, Group, Stack, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { fetchClient } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { useRefreshOn } from '../../app/live.tsx';
import { useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Instant } from '../../ui/instant.tsx';
import { ListTable } from '../../ui/list-table.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';

type Plan = components['schemas']['Plan'];

const PLANS = '/api/v1/workspaces/{ws}/plans';

/** The first digits tell two plans apart; all of them are in the tooltip. */
const SHOWN_DIGITS = 12;

/** The daily plans of the workspace: how large, sealed or not, and whether their size is to be expected. */
export function Component(): ReactNode {
  const { t } = useTranslation('plans');
  const { name: ws } = useWorkspace();
  useRefreshOn(['plan.', 'run.planned'], [PLANS]);
  const list = useInfiniteQuery({
    queryKey: ['get', PLANS, ws],
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: { readonly nextCursor: string | null } | undefined) =>
      page?.nextCursor ?? undefined,
    queryFn: async ({ pageParam, signal }) => {
      const cursor = pageParam === undefined ? {} : { cursor: pageParam };
      const params = { path: { ws }, query: { limit: 50, ...cursor } };
      return (await fetchClient.GET(PLANS, { params, signal })).data;
    },
  });
  const plans = list.data?.pages.flatMap((page) => page?.items ?? []);
  return (
    <Page title={t('title')}>
      <Stack>
        {list.error !== null && (
          <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />
        )}
        {list.isPending && <PageLoader />}
        {plans?.length === 0 && <EmptyState title={t('none')}>{t('noneText')}</EmptyState>}
        {plans !== undefined && plans.length > 0 && <PlanTable plans={plans} />}
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

function PlanTable({ plans }: { readonly plans: readonly Plan[] }): ReactNode {
  const { t } = useTranslation('plans');
  const pathOf = useWorkspacePath();
  return (
    <ListTable
      label={t('title')}
      minWidth={860}
      head={[
        t('bizdate'),
        t('zone'),
        t('state'),
        t('instances'),
        t('edges'),
        t('plannedAt'),
        t('sealedAt'),
        t('checksum'),
      ]}
    >
      {plans.map((plan) => (
        <Table.Tr key={`${plan.bizdate} ${plan.timezone}`}>
          <Table.Td>
            <Anchor
              component={Link}
              to={pathOf(`ops/timeline?bizdate=${plan.bizdate}`)}
              fz="inherit"
              underline="always"
            >
              {plan.bizdate}
            </Anchor>
          </Table.Td>
          <Table.Td>{plan.timezone}</Table.Td>
          <Table.Td>
            <PlanState plan={plan} />
          </Table.Td>
          <Table.Td>
            <Size plan={plan} />
          </Table.Td>
          <Table.Td>{plan.edges}</Table.Td>
          <Table.Td>
            <Instant at={plan.plannedAt} />
          </Table.Td>
          <Table.Td>
            <Instant at={plan.sealedAt} />
          </Table.Td>
          <Table.Td>
            {plan.checksum === null ? (
              '–'
            ) : (
              <Code title={plan.checksum}>{plan.checksum.slice(0, SHOWN_DIGITS)}</Code>
            )}
          </Table.Td>
        </Table.Tr>
      ))}
    </ListTable>
  );
}

function PlanState({ plan: { state, revision } }: { readonly plan: Plan }): ReactNode {
  const { t } = useTranslation('plans');
  if (revision === 0) return t('making');
  return (
    <Group gap="xs">
      {t(`states.${state}`)}
      {revision > 1 && (
        <Text size="xs" c="var(--mr-text-dim)">
          {t('patched', { times: revision - 1 })}
        </Text>
      )}
    </Group>
  );
}

function Size({
  plan: { instances, usualInstances, sizeJump },
}: {
  readonly plan: Plan;
}): ReactNode {
  const { t } = useTranslation('plans');
  return (
    <Group gap="xs">
      {instances}
      {sizeJump !== null && (
        <Badge miw="max-content" variant="outline" color="yellow" c="var(--mr-text)">
          {t(`jump.${sizeJump}`, { usual: usualInstances })}
        </Badge>
      )}
    </Group>
  );
}
