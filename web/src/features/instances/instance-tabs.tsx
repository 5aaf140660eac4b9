import { Tabs } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { InstancePanel } from './instance-panel.tsx';
import { type InstanceTab, tabOf } from './instance-tab.ts';
import type { InstanceDetail } from './instances-api.ts';

/** The tabs of an instance with what the chosen one shows. */
export function InstanceTabs<T extends InstanceTab>({
  instance,
  tabs,
  tab,
  onTab,
  logHeight,
}: {
  readonly instance: InstanceDetail;
  readonly tabs: readonly T[];
  readonly tab: T;
  readonly onTab: (tab: T) => void;
  /** Of the log viewer, in CSS. */
  readonly logHeight: string;
}): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <Tabs value={tab} onChange={(value) => onTab(tabOf(tabs, value) as T)} keepMounted={false}>
      <Tabs.List mb="md">
        {tabs.map((each: InstanceTab) => (
          <Tabs.Tab key={each} value={each}>
            {t(`tab.${each}`)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={tab}>
        <InstancePanel instance={instance} tab={tab} logHeight={logHeight} />
      </Tabs.Panel>
    </Tabs>
  );
}
