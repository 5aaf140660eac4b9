import { Anchor, Skeleton, Stack, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { Instant } from '../../ui/instant.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { formatDuration } from '../../ui/time.ts';
import { AttemptError } from './attempt-error.tsx';
import type { Attempt } from './instances-api.ts';
import { useAttempts } from './use-instance.ts';

/** Every execution, the latest first. */
export function AttemptsPanel({ instanceId }: { readonly instanceId: string }): ReactNode {
  const { t } = useTranslation('instances');
  const attempts = useAttempts(instanceId);
  if (attempts.error !== null)
    return <ProblemAlert error={attempts.error} onRetry={() => void attempts.refetch()} />;
  if (attempts.data === undefined) return <Skeleton h={120} aria-label={t('loading')} />;
  const { items } = attempts.data;
  if (items.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t('attempts.none')}
      </Text>
    );
  return (
    <Stack gap="md">
      <AttemptTable items={items} />
      {items.map(
        ({ id, error, attempt, runNumber }) =>
          error !== null && (
            <section key={id} aria-label={t('attemptOf', { attempt, run: runNumber })}>
              <Text size="sm" fw={600} mb={4}>
                {t('attemptOf', { attempt, run: runNumber })}
              </Text>
              <AttemptError error={error} />
            </section>
          ),
      )}
    </Stack>
  );
}

function AttemptTable({ items }: { readonly items: readonly Attempt[] }): ReactNode {
  const { t, i18n } = useTranslation('instances');
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('attempts.attempt')}</Table.Th>
            <Table.Th>{t('attempts.state')}</Table.Th>
            <Table.Th>{t('fact.worker')}</Table.Th>
            <Table.Th>{t('fact.started')}</Table.Th>
            <Table.Th>{t('fact.duration')}</Table.Th>
            <Table.Th ta="end">{t('attempts.rows')}</Table.Th>
            <Table.Th>{t('attempts.version')}</Table.Th>
            <Table.Th>{t('tab.logs')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((each) => (
            <Table.Tr key={each.id}>
              <Table.Td>{t('attemptOf', { attempt: each.attempt, run: each.runNumber })}</Table.Td>
              <Table.Td>
                {t(`attemptState.${each.state}`, { defaultValue: each.state })}
                {each.error === null ? '' : ` · ${each.error.code}`}
              </Table.Td>
              <Table.Td>{each.worker ?? '–'}</Table.Td>
              <Table.Td>
                <Instant at={each.startedAt} />
              </Table.Td>
              <Table.Td>
                {each.startedAt === null || each.endedAt === null
                  ? '–'
                  : formatDuration(Date.parse(each.endedAt) - Date.parse(each.startedAt))}
              </Table.Td>
              <Table.Td ta="end">
                {rowsOf(each.result)?.toLocaleString(i18n.language) ?? '–'}
              </Table.Td>
              <Table.Td>{each.version}</Table.Td>
              <Table.Td>
                <Anchor
                  component={Link}
                  to={`?tab=logs&attempt=${each.epoch}`}
                  size="sm"
                  underline="always"
                >
                  {t('attempts.openLog')}
                </Anchor>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function rowsOf(result: unknown): number | undefined {
  if (typeof result !== 'object' || result === null) return undefined;
  const { rows } = result as { readonly rows?: unknown };
  return typeof rows === 'number' ? rows : undefined;
}
