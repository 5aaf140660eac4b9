import { ActionIcon, Button, Group, Menu, useMantineColorScheme } from '@mantine/core';
import { spotlight } from '@mantine/spotlight';
import { CircleQuestionMarkIcon, SearchIcon, SunMoonIcon, UserIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

import { $api, fetchClient, queryClient } from '../api/client.ts';
import { useZone, useZoneChoice } from '../ui/zone.ts';
import { LANGUAGES } from './i18n.ts';
import { usePalette } from './palette-choice.ts';
import { sheet } from './shortcuts.tsx';
import { useMe, useWorkspace } from './workspace.tsx';

const SCHEMES = ['light', 'dark', 'auto'] as const;

/** Right side of the top bar: search, workspace, zone, language, theme, help, user. */
export function TopBarMenus(): ReactNode {
  const { t } = useTranslation('app');
  return (
    <Group gap="xs" wrap="nowrap">
      <Button
        variant="default"
        size="xs"
        onClick={spotlight.open}
        aria-keyshortcuts="Control+K Meta+K"
        leftSection={<SearchIcon aria-hidden size={14} />}
        rightSection={<span aria-hidden="true">Ctrl K</span>}
      >
        {t('search.open')}
      </Button>
      <WorkspaceMenu />
      <ZoneMenu />
      <LanguageMenu />
      <ThemeMenu />
      <ActionIcon variant="default" aria-label={t('shortcuts.title')} onClick={sheet.open}>
        <CircleQuestionMarkIcon aria-hidden size={18} strokeWidth={1.6} />
      </ActionIcon>
      <UserMenu />
    </Group>
  );
}

function WorkspaceMenu(): ReactNode {
  const { t } = useTranslation('app');
  const workspace = useWorkspace();
  const navigate = useNavigate();
  const { data } = $api.useQuery('get', '/api/v1/workspaces');
  return (
    <Menu>
      <Menu.Target>
        <Button
          variant="default"
          size="xs"
          visibleFrom="md"
          aria-label={t('workspace.menu', { name: workspace.displayName || workspace.name })}
        >
          {workspace.displayName || workspace.name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {data?.items.map(({ name, displayName }) => (
          <Menu.Item key={name} onClick={() => void navigate(`/w/${name}/home`)}>
            {displayName || name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function ZoneMenu(): ReactNode {
  const { t } = useTranslation('app');
  const { timezone } = useWorkspace();
  const zone = useZone();
  const { choose } = useZoneChoice();
  const viewers = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" size="xs" visibleFrom="md" aria-label={t('zone.menu', { zone })}>
          {zone}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => choose('schedule')}>
          {t('zone.schedule', { zone: timezone })}
        </Menu.Item>
        <Menu.Item onClick={() => choose('viewer')}>
          {t('zone.viewer', { zone: viewers })}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

const LANGUAGE_NAMES = { en: 'English', 'zh-CN': '简体中文' } as const;

function LanguageMenu(): ReactNode {
  const { t, i18n } = useTranslation('app');
  const name = i18n.language === 'zh-CN' ? '中文' : 'EN';
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" size="xs" aria-label={t('language.menu', { name })}>
          {name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {LANGUAGES.map((language) => (
          <Menu.Item
            key={language}
            lang={language}
            onClick={() => void i18n.changeLanguage(language)}
          >
            {LANGUAGE_NAMES[language]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function ThemeMenu(): ReactNode {
  const { t } = useTranslation('app');
  const { setColorScheme } = useMantineColorScheme();
  const { palette, choose } = usePalette();
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon variant="default" aria-label={t('theme.menu')}>
          <SunMoonIcon aria-hidden size={18} strokeWidth={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {SCHEMES.map((scheme) => (
          <Menu.Item key={scheme} onClick={() => setColorScheme(scheme)}>
            {t(`theme.${scheme}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => choose(palette === 'classic' ? 'safe' : 'classic')}>
          {t(palette === 'classic' ? 'theme.paletteSafe' : 'theme.paletteClassic')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function UserMenu(): ReactNode {
  const { t } = useTranslation('app');
  const me = useMe();
  const name = me.displayName || me.name;
  const signOut = async (): Promise<void> => {
    await fetchClient.POST('/api/v1/logout');
    await queryClient.resetQueries();
  };
  return (
    <Menu>
      <Menu.Target>
        <Button
          variant="default"
          size="xs"
          aria-label={t('user.menu', { name })}
          leftSection={<UserIcon aria-hidden size={14} />}
        >
          {name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void signOut()}>{t('user.signOut')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
