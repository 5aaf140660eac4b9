import { Button, Group, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { ConnectionFields } from './connection-fields.tsx';
import { ConnectivityReport } from './connectivity-report.tsx';
import { DescriptionField } from './description-field.tsx';
import { problemOf } from './field-problems.ts';
import { isSourceName } from './json-schema.ts';
import type { PluginType } from './plugin-types.ts';
import { SaveAllTheSame } from './save-all-the-same.tsx';
import { type NewSource, useNewSource } from './use-new-source.ts';

/** Name, connection, test, save. */
export function NewSourceForm({
  type,
  onCreated,
  onCancel,
}: {
  readonly type: PluginType;
  readonly onCreated: (id: string) => void;
  readonly onCancel: () => void;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const made = useNewSource(type, onCreated);
  const { source, change, missing, report, refused, isUnconfirmed } = made;
  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void made.create(false);
      }}
    >
      <Stack>
        <NameFields source={source} refused={refused} onChange={change} />
        <ConnectionFields type={type} source={source} refused={refused} onChange={change} />
        {report !== undefined && (
          <ConnectivityReport report={report.report} workerAddresses={report.workerAddresses} />
        )}
        {refused !== null && !isUnconfirmed && <ProblemAlert error={refused} />}
        {missing.length > 0 && (
          <Text size="xs" c="dimmed">
            {t('form.missing', { fields: missing.join(', ') })}
          </Text>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            {t('cancel')}
          </Button>
          <Button
            variant="default"
            disabled={missing.length > 0}
            loading={made.isTesting}
            onClick={made.test}
          >
            {t('test.start')}
          </Button>
          <Button type="submit" disabled={!made.mayCreate} loading={made.isCreating}>
            {t('form.save')}
          </Button>
        </Group>
        {isUnconfirmed && (
          <SaveAllTheSame
            error={refused}
            onConfirm={() => void made.create(true)}
            onClose={made.forget}
          />
        )}
      </Stack>
    </form>
  );
}

function NameFields({
  source: { name, description, environment },
  refused,
  onChange,
}: {
  readonly source: NewSource;
  readonly refused: unknown;
  readonly onChange: (changed: Partial<NewSource>) => void;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const isWrong = name !== '' && !isSourceName(name);
  return (
    <>
      <TextInput
        label={t('form.name')}
        description={t('form.nameRule')}
        value={name}
        required
        maxLength={63}
        autoComplete="off"
        data-autofocus
        error={isWrong ? t('form.nameWrong') : problemOf(refused, '/name')}
        onChange={(event) => onChange({ name: event.currentTarget.value })}
      />
      <DescriptionField value={description} onChange={(next) => onChange({ description: next })} />
      <SegmentedControl
        aria-label={t('list.environment')}
        data={[
          { value: 'production', label: t('environment.production') },
          { value: 'development', label: t('environment.development') },
        ]}
        value={environment}
        onChange={(next) => onChange({ environment: next === 'production' ? next : 'development' })}
      />
    </>
  );
}
