import { Button, Tabs } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';

import { useRefreshOn } from '../../app/live.tsx';
import { useMay } from '../../app/workspace.tsx';
import { Page } from '../../ui/page.tsx';
import { GateList } from './gate-list.tsx';
import { GroupList } from './group-list.tsx';
import { GATES, GROUPS, WORKERS } from './resources-api.ts';
import { WorkerList } from './worker-list.tsx';

const TABS = ['groups', 'workers', 'gates'] as const;

/** What runs where, and how much of it at once. The tab and the open form are in the URL. */
export function Component(): ReactNode {
  const { t } = useTranslation(['resources', 'errors']);
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find((each) => each === search.get('tab')) ?? 'groups';
  const mayAdd = useMay(tab === 'gates' ? 'operate' : 'writeResourceGroups');
  useRefreshOn(['gate.', 'resourceGroup.', 'worker.'], [GROUPS, WORKERS, GATES]);
  const edit = (id: string | null): void => setSearch(id === null ? { tab } : { tab, edit: id });
  const editing = { editing: search.get('edit'), onEdit: edit };
  return (
    <Page
      title={t('title')}
      actions={
        mayAdd &&
        tab !== 'workers' && (
          <Button onClick={() => edit('new')}>
            {t(tab === 'gates' ? 'gates.new' : 'groups.new')}
          </Button>
        )
      }
    >
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => setSearch({ tab: next ?? 'groups' })}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="groups">{t('groups.tab')}</Tabs.Tab>
          <Tabs.Tab value="workers">{t('workers.tab')}</Tabs.Tab>
          <Tabs.Tab value="gates">{t('gates.tab')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="groups">
          <GroupList {...editing} />
        </Tabs.Panel>
        <Tabs.Panel value="workers">
          <WorkerList />
        </Tabs.Panel>
        <Tabs.Panel value="gates">
          <GateList {...editing} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
