import { Group, Select } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import type { Change } from './operations.ts';

const PRIORITIES = ['1', '3', '5', '7', '8'] as const;

/** What a change sets: a priority, a resource group or both. */
export function ChangeFields({
  value,
  onChange,
}: {
  readonly value: Change;
  readonly onChange: (change: Change) => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  const { data } = $api.useQuery('get', '/api/v1/resource-groups');
  const { priority, resourceGroup } = value;
  return (
    <Group grow align="flex-start">
      <Select
        label={t('change.priority')}
        description={t('change.priorityHint')}
        placeholder={t('change.stays')}
        clearable
        clearButtonProps={{ 'aria-label': t('filter.clearOne') }}
        data={PRIORITIES}
        value={priority === undefined ? null : String(priority)}
        onChange={(next) =>
          onChange({
            ...(next === null ? {} : { priority: Number(next) }),
            ...(resourceGroup === undefined ? {} : { resourceGroup }),
          })
        }
      />
      <Select
        label={t('change.resourceGroup')}
        description={t('change.resourceGroupHint')}
        placeholder={t('change.stays')}
        clearable
        clearButtonProps={{ 'aria-label': t('filter.clearOne') }}
        data={data?.items.map(({ name }) => name) ?? []}
        value={resourceGroup ?? null}
        onChange={(next) =>
          onChange({
            ...(priority === undefined ? {} : { priority }),
            ...(next === null ? {} : { resourceGroup: next }),
          })
        }
      />
    </Group>
  );
}
