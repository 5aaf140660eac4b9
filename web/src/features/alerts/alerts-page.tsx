import { Button, Tabs } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';

import { useRefreshOn } from '../../app/live.tsx';
import { useMayOperate } from '../../app/workspace.tsx';
import { Page } from '../../ui/page.tsx';
import { AlertList } from './alert-list.tsx';
import { ALERTS, RULES } from './alerts-api.ts';
import { RuleList } from './rule-list.tsx';

/** What is wrong, and the rules that say who is told. The tab and the open form are in the URL. */
export function Component(): ReactNode {
  const { t } = useTranslation(['alerts', 'errors']);
  const mayWrite = useMayOperate();
  const [search, setSearch] = useSearchParams();
  const tab = search.get('tab') === 'rules' ? 'rules' : 'alerts';
  useRefreshOn(['alert.', 'alertRule.'], [ALERTS, RULES]);
  const editRule = (id: string | null): void =>
    setSearch(id === null ? { tab: 'rules' } : { tab: 'rules', rule: id });
  return (
    <Page
      title={t('title')}
      actions={mayWrite && <Button onClick={() => editRule('new')}>{t('rules.new')}</Button>}
    >
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => setSearch(next === 'rules' ? { tab: 'rules' } : {})}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="alerts">{t('list.tab')}</Tabs.Tab>
          <Tabs.Tab value="rules">{t('rules.tab')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="alerts">
          <AlertList />
        </Tabs.Panel>
        <Tabs.Panel value="rules">
          <RuleList editing={search.get('rule')} onEdit={editRule} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
