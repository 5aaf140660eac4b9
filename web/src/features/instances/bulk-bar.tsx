import { Button, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { InstanceActions } from './instance-actions.tsx';
import type { Operand } from './operations.ts';
import { MAX_SELECTED } from './selection.ts';

/** What can be done with the chosen rows. */
export function BulkBar({
  chosen,
  onClear,
}: {
  readonly chosen: readonly Operand[];
  readonly onClear: () => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <Group
      gap="md"
      p="xs"
      bg="var(--mr-ground-raised)"
      bd="1px solid var(--mr-line)"
      role="region"
      aria-label={t('bulk.label')}
      data-testid="bulk-bar"
    >
      <Text size="sm" fw={600} aria-live="polite">
        {t('bulk.selected', { count: chosen.length })}
        {chosen.length >= MAX_SELECTED && ` · ${t('bulk.limit', { limit: MAX_SELECTED })}`}
      </Text>
      <InstanceActions instances={chosen} onDone={onClear} />
      <Button size="xs" variant="subtle" onClick={onClear}>
        {t('bulk.clear')}
      </Button>
    </Group>
  );
}
