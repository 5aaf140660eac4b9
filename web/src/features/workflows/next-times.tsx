import { Paper, Table, Text, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import type { Draft } from './draft.ts';

const TYPING_MS = 400;
const SHOWN = 10;

/** When a schedule runs next. The server is asked: it has the calendars and the rules of jumping clocks. */
export function NextTimes({
  schedule,
  timezone,
}: {
  readonly schedule: Draft;
  /** The workspace's without it. */
  readonly timezone: string | undefined;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const [asked] = useDebouncedValue(
    JSON.stringify({ schedule, timezone, count: SHOWN }),
    TYPING_MS,
  );
  const { error, data } = $api.useQuery(
    'post',
    '/api/v1/workspaces/{ws}/schedule/preview',
    {
      params: { path: { ws } },
      body: JSON.parse(asked) as components['schemas']['SchedulePreviewRequest'],
    },
    { placeholderData: keepPreviousData },
  );
  return (
    <Paper withBorder p="md" component="section" aria-label={t('schedule.next')}>
      <Title order={2} size="h5" mb="xs">
        {t('schedule.next')}
      </Title>
      <ProblemAlert error={error} />
      {error === null && data === undefined && <PageLoader />}
      {error === null && data !== undefined && (
        <>
          {data.cycles.length === 0 && <Text size="sm">{t('schedule.never')}</Text>}
          <Table verticalSpacing={4} data-testid="next-times">
            <Table.Tbody>
              {data.cycles.map(({ scheduledTime, localTime, bizdate }) => (
                <Table.Tr key={scheduledTime}>
                  <Table.Td style={{ fontVariantNumeric: 'tabular-nums' }}>
                    <time dateTime={scheduledTime} title={scheduledTime}>
                      {localTime}
                    </time>
                  </Table.Td>
                  <Table.Td>{t('schedule.bizdate', { bizdate })}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {data.defaultTimes && <Text size="sm">{t('schedule.defaultTimes')}</Text>}
          <Text size="xs" c="dimmed">
            {t('schedule.zone', { zone: data.timezone })}
          </Text>
        </>
      )}
    </Paper>
  );
}
