import { Anchor, Button, Group, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';

import { $api } from '../../api/client.ts';
import { useRefreshOn } from '../../app/live.tsx';
import { useMayOperate, useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { Instant } from '../../ui/instant.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { BackfillActions } from './backfill-actions.tsx';
import { BACKFILL, type BackfillDetail, refreshBackfills } from './backfill-api.ts';
import { BackfillProgress } from './backfill-progress.tsx';
import { isLive } from './backfill-range.ts';

/** One backfill: how far each business date is, and what can be done about it. */
export function Component(): ReactNode {
  const { t } = useTranslation('backfills');
  const { id = '' } = useParams();
  const { name: ws } = useWorkspace();
  const pathOf = useWorkspacePath();
  const mayOperate = useMayOperate();
  const { data, error, refetch } = $api.useQuery('get', BACKFILL, { params: { path: { ws, id } } });
  useRefreshOn(['instance.', 'backfill.'], [BACKFILL]);
  return (
    <Page
      title={data?.name ?? t('page.title')}
      crumbs={[{ label: t('list.title'), to: pathOf('ops/backfills') }]}
      actions={
        data !== undefined &&
        mayOperate &&
        isLive(data.state) && <BackfillActions backfill={data} />
      }
    >
      {error !== null && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <PageLoader />}
      {data !== undefined && (
        <>
          <Facts backfill={data} />
          <BackfillProgress name={data.name} statuses={data.statuses} />
          <Dates backfill={data} maySkip={mayOperate && isLive(data.state)} />
        </>
      )}
    </Page>
  );
}

function Facts({ backfill }: { readonly backfill: BackfillDetail }): ReactNode {
  const { t } = useTranslation('backfills');
  const pathOf = useWorkspacePath();
  const { made, problem } = backfill;
  const dates = Object.values(backfill.dates).reduce((sum, count) => sum + count, 0);
  return (
    <Group gap="lg">
      <Text fw={600} data-testid="backfill-state">
        {t(`state.${backfill.state}`)}
      </Text>
      <Text>{backfill.workflows.join(', ')}</Text>
      <Text>{t('page.atOnce', { count: backfill.parallelism })}</Text>
      {made < dates && <Text>{t('page.made', { made, dates })}</Text>}
      {problem !== null && (
        <Text fw={600}>
          {problem.code} {problem.detail}
        </Text>
      )}
      <Text c="dimmed" size="sm">
        {backfill.createdBy ?? '–'} <Instant at={backfill.createdAt} />
      </Text>
      <Anchor
        component={Link}
        to={pathOf(`ops/instances?runGroup=${backfill.id}`)}
        underline="always"
      >
        {t('started.instances')}
      </Anchor>
      <Anchor component={Link} to={pathOf(timelineOf(backfill))} underline="always">
        {t('page.timeline')}
      </Anchor>
    </Group>
  );
}

const DAY = 86_400_000;

/** By wall clock, since it runs its business dates within hours; of one that goes on, a day ahead. */
function timelineOf({ id, createdAt, endedAt }: BackfillDetail): string {
  const to = endedAt ?? new Date(Date.now() + DAY).toISOString();
  const query = new URLSearchParams({ runGroup: id, from: createdAt, to });
  return `ops/timeline?${query.toString()}`;
}

function Dates({
  backfill,
  maySkip,
}: {
  readonly backfill: BackfillDetail;
  readonly maySkip: boolean;
}): ReactNode {
  const { t } = useTranslation('backfills');
  const { name: ws } = useWorkspace();
  const pathOf = useWorkspacePath();
  const skip = $api.useMutation('post', `${BACKFILL}/skip`, { onSettled: refreshBackfills });
  return (
    <>
      <ProblemAlert error={skip.error} />
      <Table.ScrollContainer minWidth={640}>
        <Table highlightOnHover aria-label={t('page.dates')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('plan.bizdate')}</Table.Th>
              <Table.Th>{t('page.state')}</Table.Th>
              <Table.Th>{t('list.progress')}</Table.Th>
              {maySkip && <Table.Th>{t('page.actions')}</Table.Th>}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {backfill.bizdates.map((date) => (
              <Table.Tr key={date.bizdate} data-bizdate={date.bizdate} data-state={date.state}>
                <Table.Th scope="row">
                  <Anchor
                    component={Link}
                    to={pathOf(`ops/timeline?bizdate=${date.bizdate}`)}
                    underline="always"
                  >
                    {date.bizdate}
                  </Anchor>
                </Table.Th>
                <Table.Td>{t(`dateState.${date.state}`)}</Table.Td>
                <Table.Td miw={240}>
                  <BackfillProgress
                    name={`${backfill.name} ${date.bizdate}`}
                    statuses={date.statuses}
                  />
                </Table.Td>
                {maySkip && (
                  <Table.Td>
                    {(date.state === 'open' || date.state === 'waiting') && (
                      <Button
                        size="compact-sm"
                        variant="default"
                        loading={skip.isPending}
                        onClick={() =>
                          skip.mutate({
                            params: { path: { ws, id: backfill.id } },
                            body: { bizdates: [date.bizdate] },
                          })
                        }
                      >
                        {t('actions.skip')}
                      </Button>
                    )}
                  </Table.Td>
                )}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}
