import { Select } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import type { SetParameters } from './filter-row.tsx';
import type { TimelineFilter } from './timeline-filter.ts';

const KINDS = {
  withoutBackfills: 'scheduled,test,manual',
  onlyBackfills: 'backfill',
} as const;

const BACKFILLS_LISTED = 100;

/** Which runs are shown: all, those without or of backfills, or those of one backfill. */
export function RunsFilter({
  filter: { kinds, runGroup },
  set,
}: {
  readonly filter: TimelineFilter;
  readonly set: SetParameters;
}): ReactNode {
  const { t } = useTranslation('timeline');
  const { name: ws } = useWorkspace();
  const [isOpened, setOpened] = useState(false);
  const backfills = $api.useQuery(
    'get',
    '/api/v1/workspaces/{ws}/backfills',
    { params: { path: { ws }, query: { limit: BACKFILLS_LISTED } } },
    { enabled: isOpened || runGroup !== '' },
  );
  const single = (backfills.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }));
  const fixed = Object.entries(KINDS).map(([name, value]) => ({
    value,
    label: t(`runs.${name as keyof typeof KINDS}`),
  }));
  const chosen = runGroup === '' ? kinds.join(',') : runGroup;
  const isListed = [...fixed, ...single].some(({ value }) => value === chosen);
  // A link may ask for other kinds, or for a run that is no backfill.
  const other = chosen === '' || isListed ? [] : [{ value: chosen, label: chosen }];
  return (
    <Select
      size="xs"
      w={180}
      aria-label={t('runs.label')}
      placeholder={t('runs.all')}
      clearable
      searchable
      clearButtonProps={{ 'aria-label': t('filter.clearOne') }}
      nothingFoundMessage={t('runs.none')}
      value={chosen === '' ? null : chosen}
      data={[...fixed, ...other, { group: t('runs.backfills'), items: single }]}
      onDropdownOpen={() => setOpened(true)}
      onChange={(value) => {
        const isKinds = value !== null && Object.values<string>(KINDS).includes(value);
        set({
          runGroupKind: isKinds ? value : '',
          runGroup: isKinds ? '' : (value ?? ''),
        });
      }}
    />
  );
}
