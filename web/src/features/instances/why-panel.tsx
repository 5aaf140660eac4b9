import { Anchor, Skeleton, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { useWorkspacePath } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { isFinal, visibleStateOf } from '../../ui/visible-state.ts';
import { type Gate, gatesOf, type GateState } from './gates.ts';
import type { InstanceDetail, Why } from './instances-api.ts';
import { useWhy } from './use-instance.ts';
import classes from './why-panel.module.css';

const SIGNS: Readonly<Record<GateState, string>> = { passed: '✓', closed: '✕', ahead: '·' };

/** Why it runs or does not: the four gates in the order in which they are passed, each with what blocks it. */
export function WhyPanel({ instance }: { readonly instance: InstanceDetail }): ReactNode {
  const { t } = useTranslation('instances');
  const why = useWhy(instance.id);
  if (why.data === undefined)
    return why.error === null ? (
      <Skeleton h={160} aria-label={t('loading')} />
    ) : (
      <ProblemAlert error={why.error} onRetry={() => void why.refetch()} />
    );
  const now = why.data.reasons.filter(({ gate }) => gate === 'done' || gate === 'running');
  const isWaiting = !isFinal(instance.status) && now.length === 0;
  const gates = gatesOf(instance, why.data);
  const closed = gates.find(({ state }) => state === 'closed');
  return (
    <Stack gap="md">
      <Text fw={600} component="div">
        <StateBadge state={visibleStateOf(instance)} />{' '}
        {now.map(({ text }) => (
          <span key={text}>{text}</span>
        ))}
        {isWaiting && closed !== undefined && t(`why.closed.${closed.name}`)}
        {isWaiting && closed === undefined && t('why.soon')}
      </Text>
      <ol className={classes['gates']}>
        {gates.map((gate) => (
          <GateItem key={gate.name} gate={gate} instance={instance} />
        ))}
      </ol>
    </Stack>
  );
}

function GateItem({
  gate: { name, state, reasons },
  instance,
}: {
  readonly gate: Gate;
  readonly instance: InstanceDetail;
}): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <li data-state={state} data-gate={name}>
      <span className={classes['sign']} aria-hidden="true">
        {SIGNS[state]}
      </span>
      <div>
        <Text size="sm" fw={600}>
          {t(`gate.${name}`)} <span className={classes['state']}>{t(`gateState.${state}`)}</span>
        </Text>
        {reasons.map((reason) => (
          <Reason
            key={`${reason.text} ${reason.refs.join()}`}
            reason={reason}
            instance={instance}
          />
        ))}
      </div>
    </li>
  );
}

function Reason({
  reason: { text, refs },
  instance,
}: {
  readonly reason: Why['reasons'][number];
  readonly instance: InstanceDetail;
}): ReactNode {
  const { t } = useTranslation('instances');
  const pathOf = useWorkspacePath();
  const names = new Map(instance.upstream.map(({ id, node }) => [id, node]));
  return (
    <Text size="sm" component="div">
      {text}{' '}
      {refs.map((id) => (
        <Anchor
          key={id}
          component={Link}
          to={pathOf(`ops/instances/${id}?tab=why`)}
          size="sm"
          underline="always"
        >
          {t('why.open', { name: names.get(id) ?? id })}
        </Anchor>
      ))}
    </Text>
  );
}
