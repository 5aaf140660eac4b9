import { Autocomplete, Button, Group, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useZone } from '../../ui/zone.ts';
import type { AuditFilter } from './audit-filter.ts';

const TYPING_MS = 300;

/** What stands before the dot of an action: all that was done to such. */
const KINDS = [
  'alertRule',
  'backfill',
  'calendar',
  'dataSource',
  'dirty-record',
  'gate',
  'instance',
  'node',
  'parameter',
  'resourceGroup',
  'worker',
  'workerToken',
  'workflow',
];

/** Narrows the audit to who did what to what, and when. */
export function AuditFilters({
  filter,
  onFilter,
  onClear,
}: {
  readonly filter: AuditFilter;
  readonly onFilter: (name: keyof AuditFilter, value: string) => void;
  readonly onClear: () => void;
}): ReactNode {
  const { t } = useTranslation('audit');
  const zone = useZone();
  return (
    <Group gap="xs" align="flex-end">
      <TypedFilter name="user" {...{ filter, onFilter }} />
      <TypedFilter name="action" data={KINDS} {...{ filter, onFilter }} />
      <TypedFilter name="target" {...{ filter, onFilter }} />
      {(['from', 'to'] as const).map((side) => (
        <TextInput
          key={side}
          size="xs"
          type="date"
          label={t(`filter.${side}`)}
          value={filter[side] ?? ''}
          onChange={(event) => onFilter(side, event.currentTarget.value)}
        />
      ))}
      <Text size="xs" c="var(--mr-text-dim)" pb={6}>
        {zone}
      </Text>
      {Object.keys(filter).length > 0 && (
        <Button size="compact-sm" variant="subtle" mb={3} onClick={onClear}>
          {t('filter.clear')}
        </Button>
      )}
    </Group>
  );
}

function TypedFilter({
  name,
  data = [],
  filter,
  onFilter,
}: {
  readonly name: 'user' | 'action' | 'target';
  readonly data?: string[];
  readonly filter: AuditFilter;
  readonly onFilter: (name: keyof AuditFilter, value: string) => void;
}): ReactNode {
  const { t } = useTranslation('audit');
  const given = filter[name] ?? '';
  const [typed, setTyped] = useState(given);
  useEffect(() => setTyped(given), [given]);
  const tell = useDebouncedCallback((value: string) => onFilter(name, value), TYPING_MS);
  return (
    <Autocomplete
      size="xs"
      w={190}
      label={t(name)}
      placeholder={t(`filter.${name}`)}
      data={data}
      value={typed}
      onChange={(value) => {
        setTyped(value);
        tell(value);
      }}
    />
  );
}
