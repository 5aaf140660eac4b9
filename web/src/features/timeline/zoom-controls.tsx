import { ActionIcon, Button, Group } from '@mantine/core';
import { MinusIcon, PlusIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { TimelineScene } from './timeline-scene.ts';
import { useSceneVersion } from './use-timeline.ts';

/** What wheel and keys do, for those who have neither. */
export function ZoomControls({
  scene,
  isTable,
  onTable,
}: {
  readonly scene: TimelineScene;
  readonly isTable: boolean;
  readonly onTable: () => void;
}): ReactNode {
  const { t } = useTranslation('timeline');
  useSceneVersion(scene);
  const zoom = (factor: number): void => scene.zoom((scene.view.from + scene.view.to) / 2, factor);
  return (
    <Group gap={4}>
      {!isTable && (
        <>
          <ActionIcon variant="default" aria-label={t('zoom.in')} onClick={() => zoom(1 / 1.5)}>
            <PlusIcon aria-hidden size={16} />
          </ActionIcon>
          <ActionIcon variant="default" aria-label={t('zoom.out')} onClick={() => zoom(1.5)}>
            <MinusIcon aria-hidden size={16} />
          </ActionIcon>
          <Button size="compact-sm" variant="default" onClick={() => scene.fitAll()}>
            {t('zoom.all')}
          </Button>
          <Button
            size="compact-sm"
            variant={scene.isFollowing ? 'filled' : 'default'}
            aria-pressed={scene.isFollowing}
            onClick={() => scene.goNow(!scene.isFollowing)}
          >
            {t('zoom.follow')}
          </Button>
        </>
      )}
      <Button
        size="compact-sm"
        variant={isTable ? 'filled' : 'default'}
        aria-pressed={isTable}
        onClick={onTable}
      >
        {t('table.show')}
      </Button>
    </Group>
  );
}
