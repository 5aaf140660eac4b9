import { Button, Group, Skeleton, Stack, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { fetchClient } from '../../api/client.ts';
import { useMay, useMayOperate } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { DirtyRecordDialog } from './dirty-record-dialog.tsx';
import { DirtyRecordRow } from './dirty-record-row.tsx';
import { DIRTY_RECORDS, type DirtyRecord } from './dirty-record.ts';
import { useReplay } from './use-replay.ts';

const PAGE = 100;

interface DirtyPage {
  readonly items: readonly DirtyRecord[];
  readonly nextCursor: string | null;
}

/** The rows that the target could not hold unchanged, as they are kept in quarantine. */
export function DirtyRecordsPanel({ instanceId }: { readonly instanceId: string }): ReactNode {
  const { t } = useTranslation('instances');
  const maySee = useMay('useDataSources');
  const pages = useInfiniteQuery({
    queryKey: ['get', DIRTY_RECORDS, instanceId],
    enabled: maySee,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: DirtyPage | undefined) => page?.nextCursor ?? undefined,
    queryFn: async ({ pageParam, signal }): Promise<DirtyPage | undefined> => {
      const { data } = await fetchClient.GET(DIRTY_RECORDS, {
        params: {
          path: { id: instanceId },
          query: { limit: PAGE, ...(pageParam === undefined ? {} : { cursor: pageParam }) },
        },
        signal,
      });
      return data;
    },
  });
  const records = pages.data?.pages.flatMap((page) => page?.items ?? []);
  if (!maySee)
    return (
      <Text size="sm" c="dimmed">
        {t('dirty.notAllowed')}
      </Text>
    );
  if (pages.error !== null)
    return <ProblemAlert error={pages.error} onRetry={() => void pages.refetch()} />;
  if (records === undefined) return <Skeleton h={120} aria-label={t('loading')} />;
  if (records.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t('dirty.none')}
      </Text>
    );
  return (
    <Stack gap="sm">
      <Text size="sm">{t('dirty.explained')}</Text>
      <Records instanceId={instanceId} records={records} />
      {pages.hasNextPage && (
        <Button
          variant="default"
          size="xs"
          w="fit-content"
          loading={pages.isFetchingNextPage}
          onClick={() => void pages.fetchNextPage()}
        >
          {t('more')}
        </Button>
      )}
    </Stack>
  );
}

const COLUMNS = ['number', 'slice', 'key', 'column', 'reason', 'cells', 'state.label'] as const;

function Records({
  instanceId,
  records,
}: {
  readonly instanceId: string;
  readonly records: readonly DirtyRecord[];
}): ReactNode {
  const { t } = useTranslation('instances');
  const mayMend = useMayOperate();
  const [edited, setEdited] = useState<DirtyRecord>();
  const replay = useReplay(instanceId);
  return (
    <>
      {mayMend && <ReplayBar replay={replay} />}
      <Table.ScrollContainer
        minWidth={1040}
        maxHeight={560}
        scrollAreaProps={{
          viewportProps: { tabIndex: 0, role: 'group', 'aria-label': t('dirty.list') },
        }}
      >
        <Table verticalSpacing={6} stickyHeader>
          <Table.Thead>
            <Table.Tr>
              {COLUMNS.map((column) => (
                <Table.Th key={column} style={{ whiteSpace: 'nowrap' }}>
                  {t(`dirty.${column}`)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {records.map((record) => (
              <DirtyRecordRow
                key={`${record.epoch} ${record.no}`}
                record={record}
                mayMend={mayMend}
                onEdit={() => setEdited(record)}
              />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {edited !== undefined && (
        <DirtyRecordDialog
          instanceId={instanceId}
          record={edited}
          onClose={() => setEdited(undefined)}
          onReplay={() => replay.mutate([{ epoch: edited.epoch, no: edited.no }])}
        />
      )}
    </>
  );
}

function ReplayBar({ replay }: { readonly replay: ReturnType<typeof useReplay> }): ReactNode {
  const { t } = useTranslation('instances');
  const { soFar } = replay;
  return (
    <>
      <Group gap="sm">
        <Button
          size="xs"
          variant="default"
          loading={replay.isPending}
          onClick={() => replay.mutate(undefined)}
        >
          {t('dirty.replay.all')}
        </Button>
        <Text size="sm" role="status">
          {soFar === undefined
            ? t('dirty.replay.help')
            : [
                t('dirty.replay.arrived', { count: soFar.replayed }),
                soFar.dirty > 0 && t('dirty.replay.refused', { count: soFar.dirty }),
              ]
                .filter(Boolean)
                .join(' · ')}
        </Text>
      </Group>
      <ProblemAlert error={replay.error} />
    </>
  );
}
