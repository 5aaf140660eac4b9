import { Badge, Stack, Table, VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useMay } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Instant } from '../../ui/instant.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { DrainButton } from './drain-button.tsx';
import { REFRESH_MS, refreshResources, type Worker, WORKERS } from './resources-api.ts';

const COLORS: Readonly<Record<Worker['state'], string>> = {
  live: 'green',
  draining: 'yellow',
  lost: 'red',
};

/** The workers that are alive, and those that were lost in the last hour. */
export function WorkerList(): ReactNode {
  const { t } = useTranslation('resources');
  const { data, error, refetch } = $api.useQuery(
    'get',
    WORKERS,
    {},
    { refetchInterval: REFRESH_MS },
  );
  return (
    <Stack>
      {error !== null && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <PageLoader />}
      {data?.items.length === 0 && (
        <EmptyState title={t('workers.none')}>{t('workers.noneText')}</EmptyState>
      )}
      {data !== undefined && data.items.length > 0 && <WorkerTable workers={data.items} />}
    </Stack>
  );
}

function WorkerTable({ workers }: { readonly workers: readonly Worker[] }): ReactNode {
  const { t } = useTranslation('resources');
  const mayWrite = useMay('writeResourceGroups');
  const patch = $api.useMutation('patch', `${WORKERS}/{id}`, { onSettled: refreshResources });
  return (
    <>
      <ProblemAlert error={patch.error} />
      <Table.ScrollContainer minWidth={860}>
        <Table highlightOnHover aria-label={t('workers.tab')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('name')}</Table.Th>
              <Table.Th>{t('workers.group')}</Table.Th>
              <Table.Th>{t('workers.state')}</Table.Th>
              <Table.Th>{t('running')}</Table.Th>
              <Table.Th>{t('workers.labels')}</Table.Th>
              <Table.Th>{t('groups.addresses')}</Table.Th>
              <Table.Th>{t('workers.started')}</Table.Th>
              <Table.Th>
                <VisuallyHidden>{t('actions')}</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {workers.map((worker) => (
              <Table.Tr key={worker.id}>
                <Table.Td>{worker.name}</Table.Td>
                <Table.Td>{worker.resourceGroup}</Table.Td>
                <Table.Td>
                  <Badge
                    miw="max-content"
                    variant="outline"
                    color={COLORS[worker.state]}
                    c="var(--mr-text)"
                  >
                    {t(`state.${worker.state}`)}
                  </Badge>
                </Table.Td>
                <Table.Td>
                  {worker.running}/{worker.capacity}
                </Table.Td>
                <Table.Td>{worker.labels.join(', ') || '–'}</Table.Td>
                <Table.Td>{worker.addresses.join(', ') || '–'}</Table.Td>
                <Table.Td>
                  <Instant at={worker.startedAt} />
                </Table.Td>
                <Table.Td>
                  {mayWrite && worker.state !== 'lost' && (
                    <DrainButton
                      name={worker.name}
                      isDraining={worker.draining}
                      isPending={patch.isPending && patch.variables.params.path.id === worker.id}
                      onChange={(draining) =>
                        patch.mutate({ params: { path: { id: worker.id } }, body: { draining } })
                      }
                    />
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
