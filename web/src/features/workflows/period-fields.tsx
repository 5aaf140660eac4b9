import { Group, MultiSelect, NumberInput, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Draft } from './draft.ts';
import { type Form, listOf, listText, WEEKDAYS } from './period.ts';

interface PeriodProps {
  readonly period: Draft;
  /** Some of its fields; `undefined` removes one. */
  readonly onChange: (change: Draft) => void;
  readonly isReadOnly: boolean;
}

/** The fields of one form of a period. */
export function PeriodFields({
  form,
  ...props
}: PeriodProps & { readonly form: Exclude<Form, 'cron'> }): ReactNode {
  const { t } = useTranslation('workflows');
  const { period, onChange, isReadOnly } = props;
  if (form === 'minute' || (form === 'hour' && period['hours'] === undefined))
    return <Interval {...props} unit={form} />;
  const days = Array.isArray(period['days']) ? period['days'].map(String) : [];
  return (
    <>
      {form === 'week' && (
        <MultiSelect
          label={t('schedule.weekdays')}
          data={WEEKDAYS.map((value) => ({ value, label: t(`schedule.${value}`) }))}
          value={days}
          readOnly={isReadOnly}
          onChange={(chosen) => onChange({ days: chosen })}
        />
      )}
      {form === 'month' && <ListField {...props} name="days" kind="number" />}
      {form === 'year' && <ListField {...props} name="dates" kind="text" />}
      {form === 'hour' ? (
        <ListField {...props} name="hours" kind="number" />
      ) : (
        <ListField {...props} name="at" kind="text" />
      )}
    </>
  );
}

function Interval({
  unit,
  period,
  onChange,
  isReadOnly,
}: PeriodProps & { readonly unit: 'minute' | 'hour' }): ReactNode {
  const { t } = useTranslation('workflows');
  return (
    <Group grow align="flex-start">
      <NumberInput
        label={unit === 'minute' ? t('schedule.minuteStep') : t('schedule.hourStep')}
        value={typeof period['step'] === 'number' ? period['step'] : 1}
        min={1}
        max={unit === 'minute' ? 1440 : 24}
        allowDecimal={false}
        readOnly={isReadOnly}
        onChange={(step) => {
          if (typeof step === 'number') onChange({ step });
        }}
      />
      {(['from', 'to'] as const).map((name) => (
        <TextInput
          key={name}
          type="time"
          label={t(`schedule.${name}`)}
          value={listText(period[name])}
          readOnly={isReadOnly}
          onChange={(event) => {
            const text = event.currentTarget.value;
            onChange({ [name]: text === '' ? undefined : text });
          }}
        />
      ))}
    </Group>
  );
}

/** Keeps what was typed: a comma at the end is the beginning of the next value. */
function ListField({
  name,
  kind,
  period,
  onChange,
  isReadOnly,
}: PeriodProps & {
  readonly name: 'at' | 'days' | 'dates' | 'hours';
  readonly kind: 'text' | 'number';
}): ReactNode {
  const { t } = useTranslation('workflows');
  const [text, setText] = useState(listText(period[name]));
  return (
    <TextInput
      label={t(`schedule.${name}`)}
      description={t(`schedule.${name}Help`)}
      value={text}
      readOnly={isReadOnly}
      onChange={(event) => {
        setText(event.currentTarget.value);
        onChange({ [name]: listOf(event.currentTarget.value, kind) });
      }}
    />
  );
}
