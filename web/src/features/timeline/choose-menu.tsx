import { Button, Menu } from '@mantine/core';
import { ListChecksIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { useMayOperate } from '../../app/workspace.tsx';
import { StateSwatch } from '../../ui/state-badge.tsx';
import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import type { TimelineScene } from './timeline-scene.ts';
import { useSceneVersion } from './use-timeline.ts';

/** Chooses all instances of a state, or all that the filters leave, for an operation. */
export function ChooseMenu({ scene }: { readonly scene: TimelineScene }): ReactNode {
  const { t, i18n } = useTranslation(['timeline', 'ui']);
  const mayOperate = useMayOperate();
  useSceneVersion(scene);
  const bars = scene.data?.bars;
  if (!mayOperate || bars === undefined || bars.size === 0) return null;
  const states = [...VISIBLE_STATES.entries()].filter(
    ([place]) => scene.mask[place] === 1 && bars.counts[place]! > 0,
  );
  const count = (value: number): string => value.toLocaleString(i18n.language);
  const all = states.reduce((sum, [place]) => sum + bars.counts[place]!, 0);
  return (
    <Menu position="bottom-end" width={280}>
      <Menu.Target>
        <Button
          size="compact-sm"
          variant="default"
          flex="none"
          leftSection={<ListChecksIcon aria-hidden size={14} />}
        >
          {t('timeline:choose.menu')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {states.map(([place, state]) => (
          <Menu.Item
            key={state}
            leftSection={<StateSwatch state={state} />}
            rightSection={count(bars.counts[place]!)}
            onClick={() => scene.chooseWhere({ state: place })}
          >
            {t(`ui:state.${state}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item rightSection={count(all)} onClick={() => scene.chooseWhere({})}>
          {t('timeline:choose.all')}
        </Menu.Item>
        <Menu.Label>{t('timeline:choose.help')}</Menu.Label>
      </Menu.Dropdown>
    </Menu>
  );
}
