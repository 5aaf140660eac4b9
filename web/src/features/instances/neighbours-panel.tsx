import { Anchor, Button, SimpleGrid, Text, Title } from '@mantine/core';
import { type ReactNode, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { useMayOperate, useWorkspacePath } from '../../app/workspace.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { visibleStateOf } from '../../ui/visible-state.ts';
import type { InstanceDetail, Neighbour } from './instances-api.ts';
import classes from './neighbours-panel.module.css';
import { OperationModal } from './operation-modal.tsx';
import type { Asked } from './operations.ts';

/** What it waits for and what waits for it. While it waits, an upstream can be taken from it. */
export function NeighboursPanel({ instance }: { readonly instance: InstanceDetail }): ReactNode {
  const { t } = useTranslation('instances');
  const mayOperate = useMayOperate();
  const [asked, setAsked] = useState<Asked>();
  const isLoose = mayOperate && /^(waiting_|gated$)/.test(instance.status);
  return (
    <>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        <Neighbours
          title={t('neighbours.upstream')}
          items={instance.upstream}
          onUnlink={
            isLoose
              ? (id) => setAsked({ operation: 'unlink', ids: [instance.id], upstream: [id] })
              : undefined
          }
        />
        <Neighbours title={t('neighbours.downstream')} items={instance.downstream} />
      </SimpleGrid>
      <OperationModal asked={asked} onClose={() => setAsked(undefined)} />
    </>
  );
}

function Neighbours({
  title,
  items,
  onUnlink,
}: {
  readonly title: string;
  readonly items: readonly Neighbour[];
  /** Offered at each of them. */
  readonly onUnlink?: ((id: string) => void) | undefined;
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
              {onUnlink !== undefined && (
                <Button
                  size="compact-xs"
                  variant="subtle"
                  aria-label={t('neighbours.unlinkFrom', { node })}
                  onClick={() => onUnlink(id)}
                >
                  {t('neighbours.unlink')}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
