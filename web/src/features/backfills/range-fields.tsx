import { ActionIcon, Button, Group, Stack, TextInput } from '@mantine/core';
import { MinusIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { lastWeek } from './backfill-range.ts';
import { type DateRange, MAX_RANGES } from './backfill-form.ts';

/** One to seven ranges of business dates. */
export function RangeFields({
  ranges,
  last,
  isFutureAllowed,
  onChange,
}: {
  readonly ranges: readonly DateRange[];
  /** The last business date that is over. */
  readonly last: string;
  /** Dates after the last one may run as well. */
  readonly isFutureAllowed: boolean;
  readonly onChange: (ranges: readonly DateRange[]) => void;
}): ReactNode {
  const { t } = useTranslation('backfills');
  const change = (at: number, part: Partial<DateRange>): void =>
    onChange(ranges.map((range, no) => (no === at ? { ...range, ...part } : range)));
  return (
    <Stack gap="xs">
      {ranges.map((range, at) => (
        // oxlint-disable-next-line react/no-array-index-key -- ranges have no name but their place
        <Group key={at} align="flex-end" wrap="nowrap">
          <TextInput
            type="date"
            flex={1}
            label={t('new.from')}
            value={range.from}
            max={isFutureAllowed ? undefined : last}
            required
            onChange={(event) => change(at, { from: event.currentTarget.value })}
          />
          <TextInput
            type="date"
            flex={1}
            label={t('new.to')}
            value={range.to}
            max={isFutureAllowed ? undefined : last}
            required
            error={
              !isFutureAllowed && range.to > last ? t('new.future', { yesterday: last }) : undefined
            }
            onChange={(event) => change(at, { to: event.currentTarget.value })}
          />
          {ranges.length > 1 && (
            <ActionIcon
              variant="default"
              size="lg"
              aria-label={t('new.removeRange', { no: at + 1 })}
              onClick={() => onChange(ranges.filter((_, no) => no !== at))}
            >
              <MinusIcon size={16} aria-hidden />
            </ActionIcon>
          )}
        </Group>
      ))}
      {ranges.length < MAX_RANGES && (
        <Button
          variant="subtle"
          size="compact-sm"
          style={{ alignSelf: 'flex-start' }}
          onClick={() => onChange([...ranges, lastWeek(last)])}
        >
          {t('new.addRange')}
        </Button>
      )}
    </Stack>
  );
}
