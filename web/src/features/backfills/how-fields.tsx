import { Fieldset, Group, NumberInput, Select, Stack, Switch, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import type { BackfillForm } from './backfill-form.ts';

const MAX_PRIORITY = 11;

/** When and where a backfill runs, where that is not as its nodes have it. */
export function HowFields({
  form,
  onChange,
}: {
  readonly form: BackfillForm;
  readonly onChange: (part: Partial<BackfillForm>) => void;
}): ReactNode {
  const { t } = useTranslation('backfills');
  const groups = $api.useQuery('get', '/api/v1/resource-groups');
  return (
    <Stack gap="xs">
      <Times name="hours" form={form} onChange={onChange} />
      <Times name="window" form={form} onChange={onChange} />
      <Group align="flex-end" grow>
        <Select
          label={t('new.resourceGroup')}
          placeholder={t('new.own')}
          data={groups.data?.items.map(({ name }) => name) ?? []}
          value={form.resourceGroup}
          clearable
          clearButtonProps={{ 'aria-label': t('new.clear') }}
          onChange={(resourceGroup) => onChange({ resourceGroup })}
        />
        <NumberInput
          label={t('new.priority')}
          placeholder={t('new.own')}
          value={form.priority}
          min={1}
          max={MAX_PRIORITY}
          allowDecimal={false}
          clampBehavior="strict"
          onChange={(priority) => onChange({ priority })}
        />
      </Group>
      <Switch
        label={t('new.runFutureNow')}
        description={t('new.runFutureNowHelp')}
        checked={form.runFutureNow}
        onChange={(event) => onChange({ runFutureNow: event.currentTarget.checked })}
      />
    </Stack>
  );
}

function Times({
  name,
  form,
  onChange,
}: {
  readonly name: 'hours' | 'window';
  readonly form: BackfillForm;
  readonly onChange: (part: Partial<BackfillForm>) => void;
}): ReactNode {
  const { t } = useTranslation('backfills');
  const value = form[name];
  const isHalf = (value.from === '') !== (value.to === '');
  return (
    <Fieldset legend={t(`${name}.legend`)} variant="unstyled">
      <Group grow align="flex-start">
        {(['from', 'to'] as const).map((end) => (
          <TextInput
            key={end}
            type="time"
            label={t(`${name}.${end}`)}
            value={value[end]}
            error={isHalf && value[end] === '' ? t('new.bothTimes') : undefined}
            onChange={(event) =>
              onChange({ [name]: { ...value, [end]: event.currentTarget.value } })
            }
          />
        ))}
      </Group>
    </Fieldset>
  );
}
