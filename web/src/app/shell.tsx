import { AppShell, Burger, Group, NavLink, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  BellIcon,
  CalendarDaysIcon,
  DatabaseIcon,
  HistoryIcon,
  HouseIcon,
  KeyRoundIcon,
  ListIcon,
  ScrollTextIcon,
  ServerIcon,
  WorkflowIcon,
  ChartGanttIcon,
} from 'lucide-react';
import { type ReactNode, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, NavLink as RouterNavLink, Outlet, useParams } from 'react-router';

import { $api } from '../api/client.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { PageLoading } from '../ui/page-loading.tsx';
import { CommandPalette } from './command-palette.tsx';
import { LiveProvider } from './live.tsx';
import { LivePill } from './live-pill.tsx';
import { ShortcutSheet, useShortcuts } from './shortcuts.tsx';
import { TopBarMenus } from './top-bar-menus.tsx';
import { WorkspaceProvider, useMay, useWorkspacePath } from './workspace.tsx';

/** Where the rail leads: path below the workspace, text, icon. */
const RAIL = [
  { path: 'home', text: 'nav.home', Icon: HouseIcon },
  { path: 'ops/timeline', text: 'nav.timeline', Icon: ChartGanttIcon },
  { path: 'ops/instances', text: 'nav.instances', Icon: ListIcon },
  { path: 'ops/plans', text: 'nav.plans', Icon: CalendarDaysIcon },
  { path: 'ops/backfills', text: 'nav.backfills', Icon: HistoryIcon },
  { path: 'ops/alerts', text: 'nav.alerts', Icon: BellIcon },
  { path: 'ops/resources', text: 'nav.resources', Icon: ServerIcon },
  { path: 'studio', text: 'nav.workflows', Icon: WorkflowIcon },
  { path: 'data/sources', text: 'nav.dataSources', Icon: DatabaseIcon },
  { path: 'admin/audit', text: 'nav.audit', Icon: ScrollTextIcon },
  { path: 'admin/worker-tokens', text: 'nav.workerTokens', Icon: KeyRoundIcon },
] as const;

export function Shell(): ReactNode {
  const { ws } = useParams();
  const { t } = useTranslation('app');
  const { data: me } = $api.useQuery('get', '/api/v1/me');
  const { data: workspaces } = $api.useQuery('get', '/api/v1/workspaces');
  const workspace = workspaces?.items.find(({ name }) => name === ws);
  if (me === undefined || workspaces === undefined) return null;
  if (workspace === undefined)
    return (
      <EmptyState title={t('noWorkspace.title')}>{t('noWorkspace.text', { name: ws })}</EmptyState>
    );
  return (
    <WorkspaceProvider value={{ workspace, me }}>
      <LiveProvider>
        <Frame />
      </LiveProvider>
    </WorkspaceProvider>
  );
}

function Frame(): ReactNode {
  const { t } = useTranslation('app');
  const [isRailOpen, { toggle, close }] = useDisclosure(false);
  const pathOf = useWorkspacePath();
  const mayWriteGroups = useMay('writeResourceGroups');
  useShortcuts();
  const rail = RAIL.filter(({ path }) => path !== 'admin/worker-tokens' || mayWriteGroups);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 196, breakpoint: 'sm', collapsed: { mobile: !isRailOpen } }}
      padding={0}
    >
      <a className="mr-skip-link" href="#content">
        {t('skip')}
      </a>
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={isRailOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={t('nav.label')}
            />
            <Text component={Link} to={pathOf('home')} fw={700} c="var(--mr-text)" td="none">
              Millrace
            </Text>
            <LivePill />
          </Group>
          <TopBarMenus />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t('nav.label')}>
        {rail.map(({ path, text, Icon }) => (
          <NavLink
            key={path}
            component={RouterNavLink}
            to={pathOf(path)}
            label={t(text)}
            leftSection={<Icon aria-hidden size={18} strokeWidth={1.6} />}
            onClick={close}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Suspense fallback={<PageLoading />}>
          <Outlet />
        </Suspense>
      </AppShell.Main>
      <CommandPalette />
      <ShortcutSheet />
    </AppShell>
  );
}
