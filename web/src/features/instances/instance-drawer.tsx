import { ActionIcon, Anchor, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { Maximize2Icon, XIcon } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';

import { usePageKeys } from '../../app/shortcuts.tsx';
import { useWorkspacePath } from '../../app/workspace.tsx';
import { Bizdate } from '../../ui/instant.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { visibleStateOf } from '../../ui/visible-state.ts';
import { DrawerEdge, useDrawerWidth } from './drawer-edge.tsx';
import { InstanceActions } from './instance-actions.tsx';
import classes from './instance-drawer.module.css';
import { DRAWER_TABS, type DrawerTab, TAB_KEYS, tabOf } from './instance-tab.ts';
import { InstanceTabs } from './instance-tabs.tsx';
import type { InstanceDetail } from './instances-api.ts';
import { useInstance } from './use-instance.ts';

export interface InstanceDrawerProps {
  readonly instanceId: string;
  /** As the address has it; what is no tab is the summary. */
  readonly tab: string | null;
  readonly onTab: (tab: DrawerTab) => void;
  readonly onClose: () => void;
}

/**
 * An instance beside the page it was opened from, which stays in reach: no veil lies over it. Esc closes,
 * Enter opens the full page, `s w l p` choose a tab, `r` reruns.
 */
export function InstanceDrawer({
  instanceId,
  tab: wanted,
  onTab,
  onClose,
}: InstanceDrawerProps): ReactNode {
  const { t } = useTranslation('instances');
  const pathOf = useWorkspacePath();
  const navigate = useNavigate();
  const tab = tabOf(DRAWER_TABS, wanted);
  const page = pathOf(`ops/instances/${instanceId}?tab=${tab}`);
  const [width, setWidth] = useDrawerWidth();
  const instance = useInstance(instanceId);
  const root = useFocusWhileOpen(instanceId);
  usePageKeys((event) => {
    const isInDialog = document.querySelector('[role=dialog]') !== null;
    if (isInDialog || event.shiftKey) return false;
    const target = event.target as HTMLElement;
    const next = TAB_KEYS[event.code];
    if (event.key === 'Escape') onClose();
    else if (event.key === 'Enter' && !isControl(target)) void navigate(page);
    else if (next !== undefined) onTab(next);
    else return false;
    return true;
  });
  return (
    <aside
      ref={root}
      className={classes['drawer']}
      style={{ width }}
      aria-label={t('drawer.label')}
      tabIndex={-1}
      data-testid="instance-drawer"
    >
      <DrawerEdge width={width} onWidth={setWidth} />
      <Stack gap="sm" p="md" h="100%" style={{ overflowY: 'auto' }}>
        <Corner page={page} onClose={onClose} />
        <ProblemAlert error={instance.error} onRetry={() => void instance.refetch()} />
        {instance.data === undefined && instance.error === null && (
          <Skeleton h={220} aria-label={t('loading')} />
        )}
        {instance.data !== undefined && (
          <Content instance={instance.data} tab={tab} page={page} onTab={onTab} />
        )}
      </Stack>
    </aside>
  );
}

function Corner({
  page,
  onClose,
}: {
  readonly page: string;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <Group justify="flex-end" gap={4} className={classes['corner'] ?? ''}>
      <ActionIcon
        component={Link}
        to={page}
        variant="default"
        aria-label={t('drawer.open')}
        aria-keyshortcuts="Enter"
      >
        <Maximize2Icon aria-hidden size={16} />
      </ActionIcon>
      <ActionIcon
        variant="default"
        aria-label={t('close')}
        aria-keyshortcuts="Escape"
        onClick={onClose}
      >
        <XIcon aria-hidden size={16} />
      </ActionIcon>
    </Group>
  );
}

function Content({
  instance,
  tab,
  page,
  onTab,
}: {
  readonly instance: InstanceDetail;
  readonly tab: DrawerTab;
  readonly page: string;
  readonly onTab: (tab: DrawerTab) => void;
}): ReactNode {
  return (
    <>
      <div>
        <Text size="sm" c="dimmed" pr={72}>
          {instance.workflow.name} ›
        </Text>
        <Title order={2} size="h4" style={{ overflowWrap: 'anywhere' }}>
          <Anchor component={Link} to={page} inherit c="var(--mr-text)">
            {instance.node.name}
          </Anchor>
        </Title>
        <Text size="sm" c="dimmed">
          <Bizdate bizdate={instance.bizdate} runsAt={instance.scheduledTime} />
        </Text>
      </div>
      <Group gap="md">
        <StateBadge state={visibleStateOf(instance)} />
        <InstanceActions instances={[instance]} />
      </Group>
      <InstanceTabs
        instance={instance}
        tabs={DRAWER_TABS}
        tab={tab}
        onTab={onTab}
        logHeight="max(260px, calc(100dvh - 340px))"
      />
    </>
  );
}

/** Whether Enter on it does something of its own. */
function isControl(target: HTMLElement): boolean {
  return target.closest('a, button, [role=tab], [role=separator], summary') !== null;
}

/** Takes the focus for a new instance and gives it back where it was when the drawer goes. */
function useFocusWhileOpen(instanceId: string) {
  const root = useRef<HTMLElement>(null);
  const before = useRef<Element | null>(null);
  useEffect(() => {
    before.current = document.activeElement;
    const drawer = root.current;
    return () => {
      const isOurs =
        drawer?.contains(document.activeElement) || document.activeElement === document.body;
      if (isOurs && before.current instanceof HTMLElement) before.current.focus();
    };
  }, []);
  useEffect(() => {
    // Who walks through a list with the drawer open stays in the list.
    if (document.activeElement?.closest('[role=grid], [role=treegrid]') === null)
      root.current?.focus({ preventScroll: true });
  }, [instanceId]);
  return root;
}
