import { Anchor, Button, CopyButton, Group, Skeleton, Text } from '@mantine/core';
import { Link2Icon } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams, useSearchParams } from 'react-router';

import { ApiProblem } from '../../api/problem.ts';
import { usePageKeys } from '../../app/shortcuts.tsx';
import { useWorkspacePath } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Bizdate } from '../../ui/instant.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { visibleStateOf } from '../../ui/visible-state.ts';
import { InstanceActions } from './instance-actions.tsx';
import { INSTANCE_TABS, type InstanceTab, TAB_KEYS, tabOf } from './instance-tab.ts';
import { InstanceTabs } from './instance-tabs.tsx';
import type { InstanceDetail } from './instances-api.ts';
import { NodeFreeze } from './node-freeze.tsx';
import { useInstance } from './use-instance.ts';

export function Component(): ReactNode {
  const { id = '' } = useParams();
  const { t } = useTranslation('instances');
  const pathOf = useWorkspacePath();
  const instance = useInstance(id);
  const crumbs = [{ label: t('title'), to: pathOf('ops/instances') }];
  if (instance.data !== undefined) return <InstancePage instance={instance.data} crumbs={crumbs} />;
  const isUnknown = instance.error instanceof ApiProblem && instance.error.status === 404;
  return (
    <Page title={id} crumbs={crumbs}>
      {isUnknown && (
        <EmptyState
          title={t('unknown.title')}
          action={
            <Button component={Link} to={pathOf('ops/instances')} variant="default">
              {t('unknown.back')}
            </Button>
          }
        >
          {t('unknown.text', { id })}
        </EmptyState>
      )}
      {!isUnknown && instance.error !== null && (
        <ProblemAlert error={instance.error} onRetry={() => void instance.refetch()} />
      )}
      {instance.isPending && <Skeleton h={280} aria-label={t('loading')} />}
    </Page>
  );
}

function InstancePage({
  instance,
  crumbs,
}: {
  readonly instance: InstanceDetail;
  readonly crumbs: readonly { readonly label: string; readonly to: string }[];
}): ReactNode {
  const pathOf = useWorkspacePath();
  const [params, setParams] = useSearchParams();
  const tab = tabOf(INSTANCE_TABS, params.get('tab'));
  const choose = (next: InstanceTab): void => setParams({ tab: next });
  usePageKeys((event) => {
    const next = TAB_KEYS[event.code];
    if (next === undefined || event.shiftKey) return false;
    choose(next);
    return true;
  });
  const { workflow, node, id } = instance;
  const address = new URL(pathOf(`ops/instances/${id}?tab=${tab}`), window.location.origin);
  return (
    <Page
      title={`${workflow.name} › ${node.name}`}
      crumbs={crumbs}
      actions={
        <>
          <InstanceActions instances={[instance]} />
          <NodeFreeze instance={instance} />
          <CopyLink address={address.href} />
        </>
      }
    >
      <Heading instance={instance} />
      <InstanceTabs
        instance={instance}
        tabs={INSTANCE_TABS}
        tab={tab}
        onTab={choose}
        logHeight="max(320px, calc(100dvh - 260px))"
      />
    </Page>
  );
}

function Heading({ instance }: { readonly instance: InstanceDetail }): ReactNode {
  const { t } = useTranslation('instances');
  const pathOf = useWorkspacePath();
  const { bizdate, scheduledTime, id } = instance;
  return (
    <Group gap="lg" mt={-8}>
      <StateBadge state={visibleStateOf(instance)} />
      <Text size="sm">
        <Bizdate bizdate={bizdate} runsAt={scheduledTime} />
      </Text>
      <Anchor
        component={Link}
        to={pathOf(`ops/instances?runGroup=${instance.runGroup}&bizdate=${bizdate}`)}
        size="sm"
        underline="always"
      >
        {t('sameRun')}
      </Anchor>
      <Anchor
        component={Link}
        to={pathOf(`ops/timeline?bizdate=${bizdate}&inst=${id}`)}
        size="sm"
        underline="always"
      >
        {t('onTimeline')}
      </Anchor>
    </Group>
  );
}

function CopyLink({ address }: { readonly address: string }): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <CopyButton value={address} timeout={2_000}>
      {({ copied, copy }) => (
        <Button
          size="xs"
          variant="default"
          leftSection={<Link2Icon aria-hidden size={14} />}
          onClick={copy}
        >
          <span aria-live="polite">{copied ? t('copied') : t('copyLink')}</span>
        </Button>
      )}
    </CopyButton>
  );
}
