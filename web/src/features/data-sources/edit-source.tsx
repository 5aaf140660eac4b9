import { Alert, Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { type DataSource, UNCONFIRMED } from './data-source-api.ts';
import { DescriptionField, MAX_DESCRIPTION } from './description-field.tsx';
import { configProblems } from './field-problems.ts';
import { lengthOf } from './json-schema.ts';
import type { PluginType } from './plugin-types.ts';
import { SaveAllTheSame } from './save-all-the-same.tsx';
import { SchemaForm } from './schema-form.tsx';
import { useSourceEdits } from './use-source-edits.ts';

/** The fields of a data source. Stored secrets are never shown and stay unless something is typed. */
export function EditSource({
  source,
  type,
  group,
  mayWrite,
}: {
  readonly source: DataSource;
  readonly type: PluginType;
  readonly group: string;
  readonly mayWrite: boolean;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const { problem, error, ...edits } = useSourceEdits(source, group);
  return (
    <Paper withBorder p="md" component="section" aria-label={t('page.settings')}>
      <Title order={2} size="h5" mb="sm">
        {t('page.settings')}
      </Title>
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          void edits.save(false);
        }}
      >
        <Stack>
          <DescriptionField
            value={edits.description}
            isReadOnly={!mayWrite}
            onChange={(next) => edits.edit({ description: next })}
          />
          <SchemaForm
            schema={type.configSchema}
            value={edits.config}
            stored={new Set(source.secretFields.map((field) => `/${field}`))}
            problems={configProblems(error)}
            isReadOnly={!mayWrite}
            onChange={(next) => edits.edit({ config: next })}
          />
          {problem?.status === 412 ? (
            <Alert color="yellow" variant="outline" role="alert" title={t('conflict.title')}>
              <Text size="sm">{t('conflict.text')}</Text>
            </Alert>
          ) : (
            problem?.code !== UNCONFIRMED && <ProblemAlert error={error} />
          )}
          {mayWrite && (
            <Group justify="flex-end">
              <Button variant="default" disabled={!edits.isDirty} onClick={edits.drop}>
                {t('form.drop')}
              </Button>
              <Button
                type="submit"
                disabled={!edits.isDirty || lengthOf(edits.description) > MAX_DESCRIPTION}
                loading={edits.isSaving}
              >
                {t('form.save')}
              </Button>
            </Group>
          )}
          {problem?.code === UNCONFIRMED && (
            <SaveAllTheSame
              error={problem}
              onConfirm={() => void edits.save(true)}
              onClose={edits.forget}
            />
          )}
        </Stack>
      </form>
    </Paper>
  );
}
