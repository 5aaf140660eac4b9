import { Select } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';

export const DEFAULT_GROUP = 'default';

/** From where a connection is tested: networks differ. */
export function ResourceGroupSelect({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (group: string) => void;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const { data } = $api.useQuery('get', '/api/v1/resource-groups');
  return (
    <Select
      label={t('test.from')}
      data={data?.items.map(({ name }) => name) ?? [DEFAULT_GROUP]}
      value={value}
      allowDeselect={false}
      maw={240}
      onChange={(next) => next !== null && onChange(next)}
    />
  );
}
