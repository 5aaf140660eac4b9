import { Badge, Button, Stack, Table, Text, VisuallyHidden } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { fetchClient } from '../../api/client.ts';
import { useMay } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Instant } from '../../ui/instant.tsx';
import { ListTable } from '../../ui/list-table.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { NewTokenDialog } from './new-token-dialog.tsx';
import { RevokeDialog } from './revoke-dialog.tsx';
import { TOKENS, type WorkerToken } from './worker-tokens-api.ts';

interface ListPage {
  readonly items: readonly WorkerToken[];
  readonly nextCursor: string | null;
}

/** The tokens of workers on other machines. Only owners and administrators have to do with them. */
export function Component(): ReactNode {
  const { t } = useTranslation(['worker-tokens', 'errors']);
  const may = useMay('writeResourceGroups');
  const [isAsking, setAsking] = useState(false);
  return (
    <Page
      title={t('title')}
      actions={may && <Button onClick={() => setAsking(true)}>{t('new.button')}</Button>}
    >
      {may ? <TokenList /> : <EmptyState title={t('notAllowed')}>{t('notAllowedText')}</EmptyState>}
      {isAsking && <NewTokenDialog onClose={() => setAsking(false)} />}
    </Page>
  );
}

function TokenList(): ReactNode {
  const { t } = useTranslation('worker-tokens');
  const [revoked, setRevoked] = useState<WorkerToken>();
  const list = useInfiniteQuery({
    queryKey: ['get', TOKENS, 'pages'],
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: ListPage | undefined) => page?.nextCursor ?? undefined,
    queryFn: async ({ pageParam, signal }): Promise<ListPage | undefined> => {
      const cursor = pageParam === undefined ? {} : { cursor: pageParam };
      const params = { query: { limit: 100, ...cursor } };
      return (await fetchClient.GET(TOKENS, { params, signal })).data;
    },
  });
  const tokens = list.data?.pages.flatMap((page) => page?.items ?? []);
  return (
    <Stack>
      <Text size="sm">{t('explained')}</Text>
      <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />
      {list.isPending && <PageLoader />}
      {tokens?.length === 0 && <EmptyState title={t('none')}>{t('noneText')}</EmptyState>}
      {tokens !== undefined && tokens.length > 0 && (
        <TokenTable tokens={tokens} onRevoke={setRevoked} />
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
      {revoked !== undefined && (
        <RevokeDialog token={revoked} onClose={() => setRevoked(undefined)} />
      )}
    </Stack>
  );
}

function TokenTable({
  tokens,
  onRevoke,
}: {
  readonly tokens: readonly WorkerToken[];
  readonly onRevoke: (token: WorkerToken) => void;
}): ReactNode {
  const { t } = useTranslation('worker-tokens');
  return (
    <ListTable
      label={t('title')}
      minWidth={720}
      head={[
        t('name'),
        t('group'),
        t('created'),
        t('state'),
        <VisuallyHidden key="actions">{t('actions')}</VisuallyHidden>,
      ]}
    >
      {tokens.map((token) => (
        <Table.Tr key={token.id}>
          <Table.Td>{token.name}</Table.Td>
          <Table.Td>{token.resourceGroup}</Table.Td>
          <Table.Td>
            <Instant at={token.createdAt} />
          </Table.Td>
          <Table.Td>
            <Badge
              variant="outline"
              miw="max-content"
              color={token.revokedAt === null ? 'green' : 'gray'}
              c="var(--mr-text)"
            >
              {t(token.revokedAt === null ? 'valid' : 'revoked')}
            </Badge>{' '}
            {token.revokedAt !== null && <Instant at={token.revokedAt} />}
          </Table.Td>
          <Table.Td>
            {token.revokedAt === null && (
              <Button
                size="xs"
                variant="default"
                aria-label={t('revoke.open', { name: token.name })}
                onClick={() => onRevoke(token)}
              >
                {t('revoke.button')}
              </Button>
            )}
          </Table.Td>
        </Table.Tr>
      ))}
    </ListTable>
  );
}
