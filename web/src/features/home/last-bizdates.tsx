import { Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { useWorkspacePath } from '../../app/workspace.tsx';
import { STATE_GLYPHS } from '../../ui/visible-state.ts';
import { shownCounts, slicesOf, totalOf } from './day-states.ts';
import classes from './last-bizdates.module.css';

/** The last business dates as small bars that lead to their timelines. */
export function LastBizdates({
  days,
}: {
  readonly days: readonly {
    readonly bizdate: string;
    readonly removed: boolean;
    readonly counts: Readonly<Record<string, number | undefined>>;
  }[];
}): ReactNode {
  const { t } = useTranslation(['home', 'ui']);
  const pathOf = useWorkspacePath();
  return (
    <Group gap={4} wrap="nowrap" component="ul" className={classes['days'] ?? ''}>
      {days.map(({ bizdate, removed, counts }) => {
        const shown = shownCounts(counts);
        const total = totalOf(shown);
        const failed = shown.find(({ state }) => state === 'failed')?.count ?? 0;
        const states = removed
          ? [t('home:removed.title')]
          : shown.map(({ state, count }) => `${t(`ui:state.${state}`)} ${count}`);
        return (
          <li key={bizdate}>
            <Link
              to={pathOf(`ops/timeline?bizdate=${bizdate}`)}
              className={classes['day']}
              title={states.join('\n')}
            >
              <span className={classes['bar']} data-removed={removed}>
                {slicesOf(shown).map(({ state, length }) => (
                  <span
                    key={state}
                    data-state={state}
                    style={{
                      height: `${length * 100}%`,
                      background: `var(--mr-state-${state})`,
                    }}
                  />
                ))}
              </span>
              <Text component="span" size="xs" className={classes['date'] ?? ''}>
                <span className="mr-visually-hidden">{bizdate.slice(0, 5)}</span>
                {bizdate.slice(5)}
              </Text>
              <span className="mr-visually-hidden">{states.join(', ') || t('home:last.none')}</span>
              <Text component="span" size="xs" c="dimmed" aria-hidden="true">
                {removed ? '–' : failed > 0 ? `${STATE_GLYPHS.failed} ${failed}` : total}
              </Text>
            </Link>
          </li>
        );
      })}
    </Group>
  );
}
