import { Anchor, Button, Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { useWorkspacePath } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { RunForBizdateButton } from '../instances/run-for-bizdate.tsx';

/** Why no row is there: nothing was planned, or the filters leave nothing. */
export function TimelineEmpty({
  bizdate,
  isFiltered,
  onClear,
}: {
  readonly bizdate: string | undefined;
  readonly isFiltered: boolean;
  readonly onClear: () => void;
}): ReactNode {
  const { t } = useTranslation('timeline');
  const pathOf = useWorkspacePath();
  if (isFiltered)
    return (
      <EmptyState
        title={t('empty.filtered')}
        action={
          <Button size="xs" onClick={onClear}>
            {t('filter.clear')}
          </Button>
        }
      />
    );
  return (
    <EmptyState
      title={bizdate === undefined ? t('empty.window') : t('empty.bizdate', { bizdate })}
      action={
        <Group gap="sm">
          <RunForBizdateButton bizdate={bizdate} />
          <Anchor component={Link} to={pathOf('studio')} size="sm" underline="always">
            {t('empty.sample')}
          </Anchor>
        </Group>
      }
    >
      {t('empty.why')}
    </EmptyState>
  );
}
