import { ActionIcon, Button, Group, SegmentedControl, Text, TextInput } from '@mantine/core';
import { ChevronLeftIcon, ChevronRightIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { useWorkspace } from '../../app/workspace.tsx';
import { addDays, dateIn } from '../../ui/time.ts';
import { useZone } from '../../ui/zone.ts';
import type { TimelineFilter } from './timeline-filter.ts';
import { instantOf, localMs } from '../../ui/zone-clock.ts';

const HOUR = 3_600_000;

export interface Period {
  readonly bizdate?: string;
  readonly window?: { readonly from: number; readonly to: number };
}

/** Which business date, or which window of the wall clock, is shown. */
export function BizdateBar({
  filter,
  onPeriod,
}: {
  readonly filter: TimelineFilter;
  readonly onPeriod: (period: Period) => void;
}): ReactNode {
  const { t } = useTranslation('timeline');
  const isClock = filter.window !== undefined;
  const lastHours = (hours: number): void =>
    onPeriod({
      window: { from: roundHour(Date.now()) - hours * HOUR, to: roundHour(Date.now()) + HOUR },
    });
  return (
    <Group gap="sm" wrap="wrap">
      <SegmentedControl
        size="xs"
        aria-label={t('period.mode')}
        value={isClock ? 'clock' : 'bizdate'}
        onChange={(mode) => (mode === 'clock' ? lastHours(24) : onPeriod({}))}
        data={[
          { value: 'bizdate', label: t('period.bizdate') },
          { value: 'clock', label: t('period.clock') },
        ]}
      />
      {filter.window === undefined ? (
        <ByBizdate bizdate={filter.bizdate ?? ''} onPeriod={onPeriod} />
      ) : (
        <ByClock window={filter.window} onPeriod={onPeriod} onLast={lastHours} />
      )}
    </Group>
  );
}

function roundHour(at: number): number {
  return Math.floor(at / HOUR) * HOUR;
}

function ByBizdate({
  bizdate,
  onPeriod,
}: {
  readonly bizdate: string;
  readonly onPeriod: (period: Period) => void;
}): ReactNode {
  const { t, i18n } = useTranslation('timeline');
  const { timezone } = useWorkspace();
  const yesterday = addDays(dateIn(Date.now(), timezone), -1);
  const weekday = new Intl.DateTimeFormat(i18n.language, { weekday: 'short', timeZone: 'UTC' });
  return (
    <>
      <Group gap={4} wrap="nowrap">
        <ActionIcon
          variant="default"
          size="md"
          aria-label={t('period.before')}
          onClick={() => onPeriod({ bizdate: addDays(bizdate, -1) })}
        >
          <ChevronLeftIcon aria-hidden size={16} />
        </ActionIcon>
        <TextInput
          size="xs"
          type="date"
          aria-label={t('period.bizdate')}
          value={bizdate}
          onChange={({ currentTarget: { value } }) => value !== '' && onPeriod({ bizdate: value })}
        />
        <Text size="sm" component="span">
          ({weekday.format(new Date(`${bizdate}T00:00:00Z`))})
        </Text>
        <ActionIcon
          variant="default"
          size="md"
          aria-label={t('period.after')}
          onClick={() => onPeriod({ bizdate: addDays(bizdate, 1) })}
        >
          <ChevronRightIcon aria-hidden size={16} />
        </ActionIcon>
      </Group>
      <Text size="sm" c="dimmed" component="span">
        {t('period.runs', { date: addDays(bizdate, 1), zone: timezone })}
      </Text>
      <Group gap={4}>
        {[yesterday, addDays(yesterday, 1), addDays(yesterday, -1)].map((date, place) => (
          <Button
            key={date}
            size="compact-sm"
            variant={date === bizdate ? 'light' : 'default'}
            aria-pressed={date === bizdate}
            onClick={() => onPeriod({ bizdate: date })}
          >
            {[t('period.yesterday'), t('period.today'), t('period.twoDaysAgo')][place]}
          </Button>
        ))}
      </Group>
    </>
  );
}

function ByClock({
  window,
  onPeriod,
  onLast,
}: {
  readonly window: { readonly from: number; readonly to: number };
  readonly onPeriod: (period: Period) => void;
  readonly onLast: (hours: number) => void;
}): ReactNode {
  const { t } = useTranslation('timeline');
  const zone = useZone();
  const text = (at: number): string => new Date(localMs(at, zone)).toISOString().slice(0, 16);
  const change = (side: 'from' | 'to', value: string): void => {
    const at = instantOf(Date.parse(`${value}Z`), zone);
    const next = { ...window, [side]: at };
    if (next.from < next.to) onPeriod({ window: next });
  };
  return (
    <>
      {(['from', 'to'] as const).map((side) => (
        <TextInput
          key={side}
          size="xs"
          type="datetime-local"
          aria-label={t(`period.${side}`)}
          value={text(window[side])}
          onChange={({ currentTarget: { value } }) => change(side, value)}
        />
      ))}
      <Text size="sm" c="dimmed" component="span">
        {zone}
      </Text>
      <Group gap={4}>
        <Button size="compact-sm" variant="default" onClick={() => onLast(24)}>
          {t('period.last24')}
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => onLast(7 * 24)}>
          {t('period.last7')}
        </Button>
      </Group>
    </>
  );
}
