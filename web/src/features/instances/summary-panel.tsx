import { Alert, Progress, Stack, Text } from '@mantine/core';
import type { TFunction } from 'i18next';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { Instant } from '../../ui/instant.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { formatDuration } from '../../ui/time.ts';
import { isFinal } from '../../ui/visible-state.ts';
import { AttemptError } from './attempt-error.tsx';
import { Facts } from './facts.tsx';
import {
  type Attempt,
  type InstanceDetail,
  type Progress as Counters,
  progressOf,
  type SyncStatistics,
} from './instances-api.ts';
import { PhaseStrip } from './phase-strip.tsx';
import { durationOf } from './phases.ts';
import { useAttempts, useNow } from './use-instance.ts';

/** Where its time went, who ran it, what it wrote, and why it failed. */
export function SummaryPanel({ instance }: { readonly instance: InstanceDetail }): ReactNode {
  const { t } = useTranslation('instances');
  const attempts = useAttempts(instance.id);
  const now = useNow(!isFinal(instance.status));
  const latest = attempts.data?.items[0];
  const progress = progressOf(instance, latest);
  const duration = durationOf(instance, now);
  return (
    <Stack gap="md">
      {instance.status === 'failed' && latest?.error != null && (
        <AttemptError error={latest.error} />
      )}
      {instance.status === 'retry_wait' && latest?.error != null && (
        <AttemptError error={latest.error} isRetried />
      )}
      {instance.frozen && !isFinal(instance.status) && (
        <Alert variant="outline" color="grape" title={t('frozenHint')} />
      )}
      <PhaseStrip instance={instance} now={now} />
      {progress !== undefined && <Rows progress={progress} instance={instance} now={now} />}
      <ProblemAlert error={attempts.error} onRetry={() => void attempts.refetch()} />
      <Facts
        items={[
          [t('fact.attempt'), attemptText(t, instance, attempts.data?.items)],
          [t('fact.worker'), latest?.worker ?? '–'],
          [t('fact.duration'), duration === undefined ? '–' : formatDuration(duration)],
          [t('fact.nodeType'), instance.nodeType],
          [
            t('fact.resourceGroup'),
            `${instance.resourceGroup} · ${t('slots', { count: instance.slots })}`,
          ],
          [t('fact.priority'), instance.priority],
          [t('fact.scheduled'), <Instant at={instance.scheduledTime} withZone />],
          [t('fact.created'), <Instant at={instance.createdAt} />],
          [t('fact.upstreamDone'), <Instant at={instance.upstreamDoneAt} />],
          [t('fact.ready'), <Instant at={instance.readyAt} />],
          [t('fact.dispatched'), <Instant at={instance.dispatchedAt} />],
          [t('fact.started'), <Instant at={instance.startedAt} />],
          [t('fact.ended'), <Instant at={instance.endedAt} />],
        ]}
      />
    </Stack>
  );
}

function attemptText(
  t: TFunction<'instances'>,
  { attempt, runNumber }: InstanceDetail,
  attempts: readonly Attempt[] | undefined,
): string {
  if (attempt === 0) return '–';
  const text = t('attemptOf', { attempt, run: runNumber });
  const total = attempts?.length ?? 0;
  return total > 1 ? `${text} · ${t('attemptsInAll', { count: total })}` : text;
}

/** What it does at the moment, or did over the whole run, and who keeps it from being faster. */
function paceText(
  t: TFunction<'instances'>,
  { perSecond, slices, slicesDone, lane, bottleneck, secondsLeft }: SyncStatistics,
  number: (value: number) => string,
): string {
  return [
    t('pace.slices', { done: number(slicesDone), total: number(slices) }),
    lane !== null && t('pace.lane', { lane }),
    t('pace.read', { rows: number(perSecond.rowsRead), bytes: number(perSecond.bytesRead) }),
    t('pace.acknowledged', { rows: number(perSecond.rowsAcknowledged) }),
    bottleneck !== null && t(`pace.waiting.${bottleneck}`),
    secondsLeft !== null &&
      secondsLeft > 0 &&
      t('pace.left', { duration: formatDuration(secondsLeft * 1_000) }),
  ]
    .filter(Boolean)
    .join(' · ');
}

/** Rows written: against the total where it is known, else as a number that moves. */
function Rows({
  progress: { rowsWritten, rowsRead, rowsDirty, rowsTotal, bytes, sync },
  instance,
  now,
}: {
  readonly progress: Counters;
  readonly instance: InstanceDetail;
  readonly now: number;
}): ReactNode {
  const { t, i18n } = useTranslation('instances');
  const number = (value: number): string => value.toLocaleString(i18n.language);
  const moved = rowsWritten ?? rowsRead;
  if (moved === undefined) return null;
  const seconds = (durationOf(instance, now) ?? 0) / 1_000;
  const isKnown = rowsTotal !== undefined && rowsTotal > 0;
  const text = [
    isKnown
      ? t('rows.of', { rows: number(moved), total: number(rowsTotal) })
      : t('rows.moved', { rows: number(moved) }),
    seconds >= 1 && t('rows.perSecond', { rows: number(Math.round(moved / seconds)) }),
    bytes !== undefined && `${number(bytes)} B`,
    rowsDirty !== undefined && rowsDirty > 0 && t('rows.dirty', { rows: number(rowsDirty) }),
  ]
    .filter(Boolean)
    .join(' · ');
  return (
    <div>
      {isKnown && !isFinal(instance.status) && (
        <Progress
          value={Math.min(100, (moved / rowsTotal) * 100)}
          aria-label={t('rows.label')}
          size="lg"
          mb={4}
        />
      )}
      <Text size="sm" style={{ fontVariantNumeric: 'tabular-nums' }}>
        {text}
      </Text>
      {sync !== undefined && (
        <Text size="sm" c="dimmed" style={{ fontVariantNumeric: 'tabular-nums' }}>
          {paceText(t, sync, number)}
        </Text>
      )}
    </div>
  );
}
