import {
  Anchor,
  Badge,
  Button,
  Group,
  Stack,
  Switch,
  Table,
  Text,
  VisuallyHidden,
} from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { $api, fetchClient } from '../../api/client.ts';
import { useMayOperate, useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Instant } from '../../ui/instant.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { type Alert, ALERTS, refreshAlerts } from './alerts-api.ts';

interface ListPage {
  readonly items: readonly Alert[];
  readonly nextCursor: string | null;
}

const MUTE_MINUTES = 60;

/** The open alerts; the closed ones after them when asked for. */
export function AlertList(): ReactNode {
  const { t } = useTranslation('alerts');
  const { name: ws } = useWorkspace();
  const [isAll, setAll] = useState(false);
  const list = useInfiniteQuery({
    queryKey: ['get', ALERTS, 'pages', ws, isAll],
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: ListPage | undefined) => page?.nextCursor ?? undefined,
    queryFn: async ({ pageParam, signal }): Promise<ListPage | undefined> => {
      const cursor = pageParam === undefined ? {} : { cursor: pageParam };
      const state = isAll ? {} : { state: 'open' as const };
      const params = { path: { ws }, query: { limit: 100, ...state, ...cursor } };
      return (await fetchClient.GET(ALERTS, { params, signal })).data;
    },
  });
  const alerts = list.data?.pages.flatMap((page) => page?.items ?? []);
  return (
    <Stack>
      <Switch
        label={t('list.all')}
        checked={isAll}
        onChange={(event) => setAll(event.currentTarget.checked)}
      />
      {list.error !== null && (
        <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isPending && <PageLoader />}
      {alerts?.length === 0 && (
        <EmptyState title={t(isAll ? 'list.none' : 'list.noneOpen')}>
          {t('list.noneText')}
        </EmptyState>
      )}
      {alerts !== undefined && alerts.length > 0 && <AlertTable alerts={alerts} />}
      {list.hasNextPage && (
        <Button
          variant="default"
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {t('list.more')}
        </Button>
      )}
    </Stack>
  );
}

function AlertTable({ alerts }: { readonly alerts: readonly Alert[] }): ReactNode {
  const { t } = useTranslation('alerts');
  const mayOperate = useMayOperate();
  const { name: ws } = useWorkspace();
  const options = { onSettled: refreshAlerts };
  const mute = $api.useMutation('post', '/api/v1/workspaces/{ws}/alerts/{id}/mute', options);
  const close = $api.useMutation('post', '/api/v1/workspaces/{ws}/alerts/{id}/close', options);
  return (
    <>
      <ProblemAlert error={mute.error ?? close.error} />
      <Table.ScrollContainer minWidth={720}>
        <Table highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('list.state')}</Table.Th>
              <Table.Th>{t('list.what')}</Table.Th>
              <Table.Th>{t('list.rule')}</Table.Th>
              <Table.Th>{t('list.since')}</Table.Th>
              <Table.Th>{t('list.messages')}</Table.Th>
              <Table.Th>
                <VisuallyHidden>{t('actions')}</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {alerts.map((alert) => (
              <Table.Tr key={alert.id}>
                <Table.Td>
                  <AlertState alert={alert} />
                </Table.Td>
                <Table.Td>
                  <AlertWords alert={alert} />
                </Table.Td>
                <Table.Td>{alert.ruleName}</Table.Td>
                <Table.Td>
                  <Instant at={alert.firstAt} />
                </Table.Td>
                <Table.Td>{alert.count}</Table.Td>
                <Table.Td>
                  {mayOperate && alert.state === 'open' && (
                    <Group gap="xs" wrap="nowrap">
                      <Button
                        size="xs"
                        variant="default"
                        onClick={() =>
                          mute.mutate({
                            params: { path: { ws, id: alert.id } },
                            body: { minutes: alert.mutedUntil === null ? MUTE_MINUTES : 0 },
                          })
                        }
                      >
                        {t(alert.mutedUntil === null ? 'list.mute' : 'list.unmute')}
                      </Button>
                      <Button
                        size="xs"
                        variant="default"
                        onClick={() => close.mutate({ params: { path: { ws, id: alert.id } } })}
                      >
                        {t('list.close')}
                      </Button>
                    </Group>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

function AlertState({ alert }: { readonly alert: Alert }): ReactNode {
  const { t } = useTranslation('alerts');
  const isMuted = alert.state === 'open' && alert.mutedUntil !== null;
  return (
    <Stack gap={2} align="flex-start">
      <Badge miw="max-content" variant="outline" color={alert.state === 'open' ? 'red' : 'gray'}>
        {t(alert.state === 'open' ? 'list.open' : 'list.closed')}
      </Badge>
      {isMuted && (
        <Text size="xs" c="dimmed">
          {t('list.mutedUntil')} <Instant at={alert.mutedUntil} />
        </Text>
      )}
    </Stack>
  );
}

/** The alert in the language of the console, with the way to the instance or the backfill that explains it. */
function AlertWords({ alert }: { readonly alert: Alert }): ReactNode {
  const { t } = useTranslation('alerts');
  const pathOf = useWorkspacePath();
  const name = [alert.workflow ?? t('words.gone'), ...(alert.node === null ? [] : [alert.node])];
  const words = t(`words.${alert.condition}`, {
    name: name.join(' / '),
    bizdate: alert.bizdate,
    by: alert.by,
    zone: alert.timezone,
    left: alert.instances,
    group: alert.resourceGroup,
    backfill: alert.backfill,
    code: alert.errorCode ?? '–',
  });
  const place = placeOf(alert);
  if (place === undefined) return words;
  return (
    <Anchor component={Link} to={pathOf(place)} underline="always">
      {words}
    </Anchor>
  );
}

function placeOf({ instanceId, backfillId }: Alert): string | undefined {
  if (instanceId !== null) return `ops/instances/${instanceId}?tab=why`;
  return backfillId === null ? undefined : `ops/backfills/${backfillId}`;
}
