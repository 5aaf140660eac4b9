import { Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';

import { $api } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { useRefreshOn } from '../../app/live.tsx';
import { useWorkspace } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Bizdate, Instant } from '../../ui/instant.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { RunForBizdate } from '../instances/run-for-bizdate.tsx';
import { CallChecklistBack, Checklist } from './checklist.tsx';
import { DayRing } from './day-ring.tsx';
import { shownCounts } from './day-states.ts';
import { InstanceList, type ListedInstance } from './instance-list.tsx';
import { LastBizdates } from './last-bizdates.tsx';
import { RunSample } from './run-sample.tsx';

type Day = components['schemas']['Day'];

const DAY = '/api/v1/workspaces/{ws}/day';
const CHECKLIST = '/api/v1/workspaces/{ws}/checklist';
/** What is due or late changes without any event. */
const CLOCK_MS = 60_000;

export function Component(): ReactNode {
  const { t } = useTranslation(['home', 'instances']);
  const { name: ws } = useWorkspace();
  const [search, setSearch] = useSearchParams();
  const runOf = search.get('run');
  const day = $api.useQuery(
    'get',
    DAY,
    { params: { path: { ws } } },
    { refetchInterval: CLOCK_MS, placeholderData: (before: Day | undefined) => before },
  );
  useRefreshOn(['instance.', 'run.', 'backfill.', 'workflow.', 'dataSource.'], [DAY, CHECKLIST]);
  return (
    <Page
      title={t('title')}
      actions={
        <>
          <CallChecklistBack />
          <RunSample />
        </>
      }
    >
      <Checklist />
      {day.error !== null && <ProblemAlert error={day.error} onRetry={() => void day.refetch()} />}
      {day.data === undefined ? day.isPending && <PageLoader /> : <DayAtAGlance day={day.data} />}
      {runOf !== null && (
        <RunForBizdate opened workflow={runOf} onClose={() => setSearch({}, { replace: true })} />
      )}
    </Page>
  );
}

function DayAtAGlance({ day }: { readonly day: Day }): ReactNode {
  const { t } = useTranslation('home');
  if (day.lastBizdates.every(({ counts, removed }) => !removed && Object.keys(counts).length === 0))
    return <EmptyState title={t('empty.title')}>{t('empty.text')}</EmptyState>;
  return (
    <>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Paper withBorder p="md" component="section" aria-label={t('ring.title')}>
          <Title order={2} size="h5">
            {t('ring.title')}
          </Title>
          <Text size="sm" c="dimmed" mb="sm">
            <Bizdate bizdate={day.bizdate} />
          </Text>
          {day.removed ? (
            <EmptyState title={t('removed.title')}>{t('removed.text')}</EmptyState>
          ) : (
            <DayRing
              bizdate={day.bizdate}
              counts={shownCounts(day.counts)}
              done={day.done}
              total={day.total}
            />
          )}
        </Paper>
        <Stack gap="md">
          <Figures day={day} />
          <Paper withBorder p="md" component="section" aria-label={t('last.title')}>
            <Title order={2} size="h5" mb="xs">
              {t('last.title')}
            </Title>
            <LastBizdates days={day.lastBizdates} />
          </Paper>
        </Stack>
      </SimpleGrid>
      <Lists day={day} />
    </>
  );
}

function Figures({ day }: { readonly day: Day }): ReactNode {
  const { t, i18n } = useTranslation('home');
  const written = new Intl.NumberFormat(i18n.language).format(day.rowsWritten);
  const ofDay = (value: string): string => (day.removed ? '–' : value);
  const plan = day.plan;
  return (
    <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="md">
      <Figure name={t('figures.rows')} value={ofDay(written)} />
      <Figure
        name={t('figures.late')}
        value={ofDay(String(day.late))}
        hint={t('figures.lateHelp')}
      />
      <Figure
        name={t('figures.plan')}
        value={plan === null ? t('figures.noPlan') : t(`figures.${plan.state}`)}
        hint={plan === null ? t('figures.noPlanHelp') : <Instant at={plan.plannedAt} withZone />}
      />
    </SimpleGrid>
  );
}

function Figure({
  name,
  value,
  hint,
}: {
  readonly name: string;
  readonly value: string;
  readonly hint?: ReactNode;
}): ReactNode {
  return (
    <Paper withBorder p="md">
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text size="xl" fw={700} style={{ fontVariantNumeric: 'tabular-nums' }}>
        {value}
      </Text>
      {hint !== undefined && (
        <Text size="xs" c="dimmed">
          {hint}
        </Text>
      )}
    </Paper>
  );
}

function Lists({ day }: { readonly day: Day }): ReactNode {
  const { t } = useTranslation('home');
  return (
    <SimpleGrid cols={{ base: 1, md: 3 }} spacing="md">
      <InstanceList
        title={t('failed.title')}
        nothing={t(day.removed ? 'removed.title' : 'failed.none')}
        tab="why"
        items={day.failed.map(({ endedAt, code, detail, ...each }) => ({
          ...each,
          note: <Instant at={endedAt} />,
          detail: [code, detail].filter((text) => text !== null).join(': '),
        }))}
      />
      <InstanceList
        title={t('running.title')}
        nothing={t('running.none')}
        tab="summary"
        items={day.running.map(listed)}
      />
      <InstanceList
        title={t('next.title')}
        nothing={t('next.none')}
        tab="why"
        items={day.nextDue.map(listed)}
      />
    </SimpleGrid>
  );
}

function listed({ at, ...each }: components['schemas']['DayInstance']): ListedInstance {
  return { ...each, note: <Instant at={at} /> };
}
