import { Alert, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { components } from '../../api/schema.gen.ts';
import { Bizdate } from '../../ui/instant.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { visibleStateOf } from '../../ui/visible-state.ts';
import classes from './operation-preview.module.css';
import type { Operation } from './operations.ts';

type Preview = components['schemas']['Preview'];
type Item = components['schemas']['PreviewItem'];
type Effect = components['schemas']['PreviewDownstream']['effect'];

const EFFECTS = [
  'runs again',
  'is left out',
  'waits again',
  'may start',
  'ends as a dry run',
  'stays blocked',
  'unchanged',
] as const satisfies Effect[];

const EFFECT_TEXTS = {
  'runs again': 'runsAgain',
  'is left out': 'leftOut',
  'waits again': 'waitsAgain',
  'may start': 'mayStart',
  'ends as a dry run': 'endsDry',
  'stays blocked': 'staysBlocked',
  unchanged: 'unchanged',
} as const satisfies Record<Effect, string>;

/** What an operation would do: to the chosen ones one by one, and to what lies downstream of them. */
export function OperationPreview({
  operation,
  preview,
}: {
  readonly operation: Operation;
  readonly preview: Preview;
}): ReactNode {
  const { t } = useTranslation('instances');
  const { items, totals } = preview;
  return (
    <Stack gap="xs" data-testid="operation-preview">
      <Text size="sm" aria-live="polite">
        {[
          t('preview.will', { count: totals.will }),
          totals.nothing > 0 && t('preview.nothing', { count: totals.nothing }),
          totals.refused > 0 && t('preview.refused', { count: totals.refused }),
        ]
          .filter(Boolean)
          .join(' · ')}
      </Text>
      <ul className={classes['list']} tabIndex={0} aria-label={t('preview.targets')}>
        {items.map((item) => (
          <Target key={item.id} item={item} />
        ))}
      </ul>
      <Downstream preview={preview} />
      <Reach preview={preview} />
      {operation === 'stop' && totals.will > 0 && (
        <Text size="xs" c="var(--mr-text-dim)">
          {t('preview.stopHint')}
        </Text>
      )}
    </Stack>
  );
}

/** How much is reached in which workflow, and what is written a second time. */
function Reach({ preview: { totals } }: { readonly preview: Preview }): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <>
      {totals.workflows.length > 1 && (
        <Text size="sm">
          {t('preview.workflows')}{' '}
          {totals.workflows
            .map(({ workflow, instances }) => `${workflow} (${instances})`)
            .join(', ')}
        </Text>
      )}
      {totals.doubles > 0 && (
        <Alert color="yellow" variant="outline" role="note">
          {t('preview.doubles', { count: totals.doubles })}
        </Alert>
      )}
    </>
  );
}

function Downstream({ preview }: { readonly preview: Preview }): ReactNode {
  const { t } = useTranslation('instances');
  const { downstream, downstreamTotal, totals, complete } = preview;
  return (
    <>
      <Text size="sm" fw={600}>
        {t('preview.downstream', { count: downstreamTotal })}
      </Text>
      {downstreamTotal > 0 && (
        <>
          <Group gap="md">
            {EFFECTS.filter((effect) => (totals.downstream[effect] ?? 0) > 0).map((effect) => (
              <Text key={effect} size="sm">
                {totals.downstream[effect]} {t(`effect.${EFFECT_TEXTS[effect]}`)}
              </Text>
            ))}
          </Group>
          <ul className={classes['list']} tabIndex={0} aria-label={t('preview.downstreamList')}>
            {downstream.map((each) => (
              <Reached key={each.id} instance={each} />
            ))}
          </ul>
        </>
      )}
      {downstream.length < downstreamTotal && (
        <Text size="xs" c="var(--mr-text-dim)">
          {t('preview.shown', { shown: downstream.length, total: downstreamTotal })}
        </Text>
      )}
      {!complete && (
        <Text size="xs" c="var(--mr-text-dim)">
          {t('preview.incomplete')}
        </Text>
      )}
    </>
  );
}

function Reached({
  instance: { node, workflow, bizdate, scheduledTime, status, effect, doubles },
}: {
  readonly instance: components['schemas']['PreviewDownstream'];
}): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <li>
      <span className={classes['name']}>
        <b>{node}</b> {workflow}
      </span>
      <StateBadge state={visibleStateOf({ status })} />
      <span>
        {t(`effect.${EFFECT_TEXTS[effect]}`)}
        {doubles === true && `, ${t('preview.appends')}`}
      </span>
      <span className={classes['date']}>
        <Bizdate bizdate={bizdate} runsAt={scheduledTime} />
      </span>
    </li>
  );
}

function Target({ item }: { readonly item: Item }): ReactNode {
  const { t } = useTranslation('instances');
  const { status, statusAfter, frozenAfter, verdict } = item;
  return (
    <li>
      <span className={classes['name']}>
        <b>{item.node ?? item.id}</b> {item.workflow}
      </span>
      {status !== undefined && <StateBadge state={visibleStateOf({ status })} />}
      {verdict === 'will' && statusAfter !== undefined && (
        <>
          <span>{t('preview.becomes')}</span>
          <StateBadge
            state={visibleStateOf({ status: statusAfter, frozen: frozenAfter ?? false })}
          />
        </>
      )}
      {item.doubles === true && <span>{t('preview.appends')}</span>}
      {verdict !== 'will' && (
        <span>
          <b>{t(`verdict.${verdict}`)}</b> {item.reason}
        </span>
      )}
      {item.bizdate !== undefined && (
        <span className={classes['date']}>
          <Bizdate bizdate={item.bizdate} runsAt={item.scheduledTime} />
        </span>
      )}
    </li>
  );
}
