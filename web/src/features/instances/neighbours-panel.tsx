import { Anchor, SimpleGrid, Text, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { useWorkspacePath } from '../../app/workspace.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { visibleStateOf } from '../../ui/visible-state.ts';
import type { InstanceDetail, Neighbour } from './instances-api.ts';
import classes from './neighbours-panel.module.css';

/** What it waits for and what waits for it. */
export function NeighboursPanel({ instance }: { readonly instance: InstanceDetail }): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
      <Neighbours title={t('neighbours.upstream')} items={instance.upstream} />
      <Neighbours title={t('neighbours.downstream')} items={instance.downstream} />
    </SimpleGrid>
  );
}

function Neighbours({
  title,
  items,
}: {
  readonly title: string;
  readonly items: readonly Neighbour[];
}): ReactNode {
  const { t } = useTranslation('instances');
  const pathOf = useWorkspacePath();
  const heading = useId();
  return (
    <section aria-labelledby={heading}>
      <Title order={2} size="h5" id={heading} mb="xs">
        {title} ({items.length})
      </Title>
      {items.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('neighbours.none')}
        </Text>
      ) : (
        <ul className={classes['list']}>
          {items.map(({ id, node, status, kind }) => (
            <li key={id}>
              <StateBadge state={visibleStateOf({ status })} />
              <Anchor
                component={Link}
                to={pathOf(`ops/instances/${id}`)}
                size="sm"
                underline="always"
              >
                {node}
              </Anchor>
              {kind !== 'same_cycle' && (
                <Text size="xs" c="dimmed">
                  {t('neighbours.previousCycle')}
                </Text>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
