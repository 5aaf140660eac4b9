import { Anchor, Group, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { useWorkspacePath } from '../../app/workspace.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import classes from './day-ring.module.css';
import { slicesOf, type StateCount } from './day-states.ts';

const GAP = 0.004;

/** How far a business date is: a ring, and the same as a table. */
export function DayRing({
  bizdate,
  counts,
  done,
  total,
}: {
  readonly bizdate: string;
  readonly counts: readonly StateCount[];
  readonly done: number;
  readonly total: number;
}): ReactNode {
  const { t } = useTranslation('home');
  const slices = slicesOf(counts);
  const gap = slices.length > 1 ? GAP : 0;
  return (
    <Group gap="xl" align="center" wrap="wrap" justify="center">
      <svg viewBox="0 0 120 120" className={classes['ring']} aria-hidden="true">
        <circle cx="60" cy="60" r="48" className={classes['track']} />
        {slices.map(({ state, start, length }) => (
          <circle
            key={state}
            cx="60"
            cy="60"
            r="48"
            pathLength={1}
            className={classes['slice']}
            data-state={state}
            stroke={`var(--mr-state-${state})`}
            strokeDasharray={`${Math.max(length - gap, 0)} 1`}
            strokeDashoffset={-start}
          />
        ))}
        <text x="60" y="58" className={classes['done']}>
          {done}
        </text>
        <text x="60" y="76" className={classes['total']}>
          {t('ring.of', { total })}
        </text>
      </svg>
      <CountTable bizdate={bizdate} counts={counts} done={done} total={total} />
    </Group>
  );
}

function CountTable({
  bizdate,
  counts,
  done,
  total,
}: {
  readonly bizdate: string;
  readonly counts: readonly StateCount[];
  readonly done: number;
  readonly total: number;
}): ReactNode {
  const { t } = useTranslation('home');
  const pathOf = useWorkspacePath();
  return (
    <div>
      <Table withRowBorders={false} verticalSpacing={4} w="auto">
        <Table.Caption className="mr-visually-hidden">{t('ring.caption')}</Table.Caption>
        <Table.Tbody>
          {counts.map(({ state, count }) => (
            <Table.Tr key={state} data-state={state} data-count={count}>
              <Table.Th scope="row" fw={400}>
                <StateBadge state={state} />
              </Table.Th>
              <Table.Td ta="right" className={classes['count']}>
                {count}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="sm" mt="xs" role="status">
        {t('ring.done', { done, total })}
      </Text>
      <Anchor component={Link} to={pathOf(`ops/timeline?bizdate=${bizdate}`)} size="sm">
        {t('ring.timeline')}
      </Anchor>
    </div>
  );
}
