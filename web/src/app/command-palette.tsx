import { Spotlight, spotlight } from '@mantine/spotlight';
import '@mantine/spotlight/styles.css';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

import { $api } from '../api/client.ts';
import { useWorkspace, useWorkspacePath } from './workspace.tsx';

const PAGES = [
  ['nav.home', 'home'],
  ['nav.timeline', 'ops/timeline'],
  ['nav.instances', 'ops/instances'],
  ['nav.plans', 'ops/plans'],
  ['nav.backfills', 'ops/backfills'],
  ['nav.alerts', 'ops/alerts'],
  ['nav.resources', 'ops/resources'],
  ['nav.workflows', 'studio'],
  ['nav.dataSources', 'data/sources'],
  ['nav.audit', 'admin/audit'],
  ['nav.workerTokens', 'admin/worker-tokens'],
] as const;

const INSTANCE = /^inst_\d{8}_\d+$/;

/** Ctrl/Cmd-K: pages, workflows and data sources by name, an instance by its id. */
export function CommandPalette(): ReactNode {
  const { t } = useTranslation('app');
  const navigate = useNavigate();
  const pathOf = useWorkspacePath();
  const { name } = useWorkspace();
  const [isOpen, setOpen] = useState(false);
  const [query, setQuery] = useState('');
  const asked = query.trim();
  const params = { params: { path: { ws: name }, query: { limit: 200 } } };
  const workflows = $api.useQuery('get', '/api/v1/workspaces/{ws}/workflows', params, {
    enabled: isOpen,
  });
  const sources = $api.useQuery('get', '/api/v1/workspaces/{ws}/data-sources', params, {
    enabled: isOpen,
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      // The key's place, not its letter: Ctrl-K has to work on a Cyrillic or Greek layout too.
      if (event.code !== 'KeyK' || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
      event.preventDefault();
      spotlight.open();
    };
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, []);
  const go = (path: string) => () => void navigate(pathOf(path));
  return (
    <Spotlight
      shortcut={null}
      query={query}
      onQueryChange={setQuery}
      nothingFound={t('search.nothing')}
      limit={12}
      scrollable
      onSpotlightOpen={() => setOpen(true)}
      searchProps={{ placeholder: t('search.placeholder'), 'aria-label': t('search.placeholder') }}
      actions={[
        {
          group: t('nav.instances'),
          actions: INSTANCE.test(asked)
            ? [{ id: asked, label: asked, onClick: go(`ops/instances/${asked}`) }]
            : [],
        },
        {
          group: t('search.pages'),
          actions: PAGES.map(([text, path]) => ({ id: path, label: t(text), onClick: go(path) })),
        },
        {
          group: t('nav.workflows'),
          actions: (workflows.data?.items ?? []).map(({ id, name: label }) => ({
            id,
            label,
            onClick: go(`studio/wf/${id}`),
          })),
        },
        {
          group: t('nav.dataSources'),
          actions: (sources.data?.items ?? []).map(({ id, name: label }) => ({
            id,
            label,
            onClick: go(`data/sources/${id}`),
          })),
        },
      ]}
    />
  );
}
