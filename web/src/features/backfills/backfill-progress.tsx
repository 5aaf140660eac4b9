import { Group, Progress, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { StateSwatch } from '../../ui/state-badge.tsx';
import { VISIBLE_STATES, visibleStateOf, type VisibleState } from '../../ui/visible-state.ts';
import { progressOf } from './backfill-range.ts';

/** How far it is: a bar, the same in words, and the instances by state. */
export function BackfillProgress({
  name,
  statuses,
}: {
  readonly name: string;
  readonly statuses: Readonly<Record<string, number>>;
}): ReactNode {
  const { t } = useTranslation(['backfills', 'ui']);
  const { ended, total, failed, succeeded } = progressOf(statuses);
  const label = t('backfills:progress', { ended, total, failed });
  const share = (count: number): number => (total === 0 ? 0 : (count / total) * 100);
  return (
    <div data-ended={ended} data-total={total} data-failed={failed}>
      <Progress.Root aria-label={name} size="md">
        <Progress.Section
          value={share(succeeded)}
          color="var(--mr-state-succeeded)"
          aria-label={`${name}: ${label}`}
          aria-valuetext={label}
        />
        <Progress.Section value={share(failed)} color="var(--mr-state-failed)" withAria={false} />
        <Progress.Section
          value={share(ended - succeeded - failed)}
          color="var(--mr-state-cancelled)"
          withAria={false}
        />
      </Progress.Root>
      <Text size="xs" mt={2}>
        {label}
      </Text>
      <Group gap="xs">
        {byState(statuses).map(([state, count]) => (
          <Text key={state} size="xs" component="span">
            <StateSwatch state={state} /> {t(`ui:state.${state}`)} {count}
          </Text>
        ))}
      </Group>
    </div>
  );
}

function byState(
  statuses: Readonly<Record<string, number>>,
): readonly (readonly [VisibleState, number])[] {
  const counts = new Map<VisibleState, number>();
  for (const [status, count] of Object.entries(statuses)) {
    const state = visibleStateOf({ status });
    counts.set(state, (counts.get(state) ?? 0) + count);
  }
  return VISIBLE_STATES.flatMap((state) => {
    const count = counts.get(state) ?? 0;
    return count === 0 ? [] : [[state, count] as const];
  });
}
