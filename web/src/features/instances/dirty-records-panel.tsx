import { Button, Code, Skeleton, Stack, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { fetchClient } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { useMay } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';

const PATH = '/api/v1/instances/{id}/dirty-records';
const PAGE = 100;

interface DirtyPage {
  readonly items: readonly components['schemas']['DirtyRecord'][];
  readonly nextCursor: string | null;
}

/** The rows that the target could not hold unchanged, as they are kept in quarantine. */
export function DirtyRecordsPanel({ instanceId }: { readonly instanceId: string }): ReactNode {
  const { t } = useTranslation('instances');
  const maySee = useMay('useDataSources');
  const pages = useInfiniteQuery({
    queryKey: ['get', PATH, instanceId],
    enabled: maySee,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: DirtyPage | undefined) => page?.nextCursor ?? undefined,
    queryFn: async ({ pageParam, signal }): Promise<DirtyPage | undefined> => {
      const { data } = await fetchClient.GET(PATH, {
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
      <Records records={records} />
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

function Records({ records }: { readonly records: DirtyPage['items'] }): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <Table.ScrollContainer minWidth={640} maxHeight={560}>
      <Table verticalSpacing={6} stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('dirty.number')}</Table.Th>
            <Table.Th>{t('dirty.slice')}</Table.Th>
            <Table.Th>{t('dirty.key')}</Table.Th>
            <Table.Th>{t('dirty.column')}</Table.Th>
            <Table.Th>{t('dirty.reason')}</Table.Th>
            <Table.Th>{t('dirty.cells')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {records.map(
            ({ epoch, no, sliceNo, columnName, code, reason, cells, original, ...more }) => (
              <Table.Tr key={`${epoch} ${no}`}>
                <Table.Td>{no}</Table.Td>
                <Table.Td>{sliceNo ?? '–'}</Table.Td>
                <Table.Td>{keyOf(cells, more.columns, more.key)}</Table.Td>
                <Table.Td>{columnName ?? '–'}</Table.Td>
                <Table.Td>
                  {more.class !== null && `${t(`dirty.class.${more.class}`, more.class)}: `}
                  {more.sqlState === null || more.sqlState === code
                    ? code
                    : `${code} (SQLSTATE ${more.sqlState})`}{' '}
                  {reason}
                </Table.Td>
                <Table.Td>
                  <Code style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
                    {original === null || cells.length > 0
                      ? JSON.stringify(cells)
                      : `${original.place}: ${asciiOf(original.base64)}`}
                  </Code>
                </Table.Td>
              </Table.Tr>
            ),
          )}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function keyOf(
  cells: readonly unknown[],
  columns: readonly string[] | null,
  key: readonly string[] | null,
): string {
  const places = (key ?? []).map((name) => columns?.indexOf(name) ?? -1);
  const parts = places.flatMap((place) => (place in cells ? [cells[place]] : []));
  return parts.map((cell) => (typeof cell === 'string' ? cell : JSON.stringify(cell))).join(' ');
}

/** Three bytes each; of a row that was too large there is a megabyte. */
const SHOWN_TRIPLES = 400;

/** Of bytes in any encoding, what all of them have in common. */
function asciiOf(base64: string): string {
  const shown = atob(base64.slice(0, 4 * SHOWN_TRIPLES)).replaceAll(/[^\x20-\x7E]/g, '.');
  return base64.length > 4 * SHOWN_TRIPLES ? `${shown}…` : shown;
}
