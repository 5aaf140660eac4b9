import { Grid, Paper, Select, Stack, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import type { FieldProblem } from '../../api/problem.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { type Draft, scheduleOf, timezoneOf, withSchedule } from './draft.ts';
import { NextTimes } from './next-times.tsx';
import { PeriodFields } from './period-fields.tsx';
import { formOf, FORMS, inForm, periodOf } from './period.ts';

interface FieldsProps {
  readonly schedule: Draft;
  readonly onChange: (change: Draft) => void;
  readonly problemOf: (name: string) => string | undefined;
  readonly isReadOnly: boolean;
}

/** The schedule of the workflow, and beside it when it runs next. */
export function SchedulePanel({
  draft,
  onChange,
  fields,
  isReadOnly,
}: {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  /** What the last submit was refused for. */
  readonly fields: readonly FieldProblem[];
  readonly isReadOnly: boolean;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const props: FieldsProps = {
    schedule: scheduleOf(draft),
    onChange: (change) => onChange(withSchedule(draft, change)),
    problemOf: (name) => fields.find(({ pointer }) => pointer === `/schedule/${name}`)?.detail,
    isReadOnly,
  };
  return (
    <Grid>
      <Grid.Col span={{ base: 12, sm: 6 }}>
        <Paper withBorder p="md" component="section" aria-label={t('schedule.title')}>
          <Stack gap="sm">
            <FormFields {...props} />
            <EffectiveDays {...props} />
            <CalendarSelect {...props} />
          </Stack>
        </Paper>
      </Grid.Col>
      <Grid.Col span={{ base: 12, sm: 6 }}>
        <NextTimes schedule={props.schedule} timezone={timezoneOf(draft)} />
      </Grid.Col>
    </Grid>
  );
}

function FormFields({ schedule, onChange, problemOf, isReadOnly }: FieldsProps): ReactNode {
  const { t } = useTranslation('workflows');
  const form = formOf(schedule);
  const period = periodOf(schedule);
  return (
    <>
      <Select
        label={t('schedule.form')}
        data={FORMS.map((value) => ({ value, label: t(`schedule.forms.${value}`) }))}
        value={form ?? null}
        allowDeselect={false}
        readOnly={isReadOnly}
        error={problemOf('period')}
        onChange={(value) => {
          const chosen = FORMS.find((each) => each === value);
          if (chosen !== undefined && chosen !== form) onChange(inForm(chosen));
        }}
      />
      {form === 'cron' && (
        <TextInput
          label={t('schedule.cron')}
          description={t('schedule.cronHelp')}
          placeholder="0 0 * * *"
          value={textOf(schedule, 'cron')}
          readOnly={isReadOnly}
          error={problemOf('cron')}
          onChange={(event) => onChange({ cron: event.currentTarget.value || undefined })}
        />
      )}
      {form !== undefined && form !== 'cron' && (
        <PeriodFields
          key={form}
          form={form}
          period={period}
          isReadOnly={isReadOnly}
          onChange={(change) => {
            const entries = Object.entries({ ...period, ...change });
            onChange({
              period: Object.fromEntries(entries.filter(([, value]) => value !== undefined)),
            });
          }}
        />
      )}
    </>
  );
}

function EffectiveDays({ schedule, onChange, problemOf, isReadOnly }: FieldsProps): ReactNode {
  const { t } = useTranslation('workflows');
  return (['effectiveFrom', 'effectiveTo'] as const).map((name) => (
    <TextInput
      key={name}
      type="date"
      label={t(`schedule.${name}`)}
      value={textOf(schedule, name)}
      readOnly={isReadOnly}
      error={problemOf(name)}
      onChange={(event) => onChange({ [name]: event.currentTarget.value || undefined })}
    />
  ));
}

function CalendarSelect({ schedule, onChange, problemOf, isReadOnly }: FieldsProps): ReactNode {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const calendars = $api.useQuery('get', '/api/v1/workspaces/{ws}/calendars', {
    params: { path: { ws }, query: { limit: 500 } },
  });
  const value = textOf(schedule, 'calendar');
  const names = calendars.data?.items.map(({ name }) => name) ?? [];
  return (
    <Select
      label={t('schedule.calendar')}
      description={t('schedule.calendarHelp')}
      placeholder={t('schedule.noCalendar')}
      data={[...new Set([...names, ...(value === '' ? [] : [value])])]}
      value={value === '' ? null : value}
      clearable
      readOnly={isReadOnly}
      error={problemOf('calendar')}
      onChange={(name) => onChange({ calendar: name ?? undefined })}
    />
  );
}

function textOf(schedule: Draft, name: string): string {
  const value = schedule[name];
  return typeof value === 'string' ? value : '';
}
