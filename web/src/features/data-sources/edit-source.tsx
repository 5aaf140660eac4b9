import { Alert, Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { ApiProblem } from '../../api/problem.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { type DataSource, refreshSources, SOURCE, UNCONFIRMED } from './data-source-api.ts';
import { DescriptionField, MAX_DESCRIPTION } from './description-field.tsx';
import { configProblems } from './field-problems.ts';
import { changesOf, type Config, lengthOf } from './json-schema.ts';
import type { PluginType } from './plugin-types.ts';
import { SaveAllTheSame } from './save-all-the-same.tsx';
import { SchemaForm } from './schema-form.tsx';

interface Edits {
  readonly revision: number;
  readonly description: string;
  readonly config: Config;
}

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
  const { name: ws } = useWorkspace();
  const [edits, setEdits] = useState<Edits>();
  const patch = $api.useMutation('patch', SOURCE);
  const stored = { description: source.description, config: source.config };
  const { description, config } = edits ?? stored;
  const changes = changesOf(source.config, config);
  const isDirty = Object.keys(changes).length > 0 || description !== source.description;
  const edit = (change: Partial<Edits>): void =>
    setEdits((before) => ({ revision: source.revision, ...stored, ...before, ...change }));
  const save = async (confirmFailedTest: boolean): Promise<void> => {
    const revision = edits?.revision ?? source.revision;
    const header = { 'If-Match': `"${revision}"` };
    const body = {
      config: { ...changes },
      description,
      resourceGroup: group,
      test: false,
      confirmFailedTest,
    };
    const saved = await patch
      .mutateAsync({ params: { path: { ws, id: source.id }, header }, body })
      .catch(() => undefined);
    if (saved === undefined) return;
    await refreshSources();
    setEdits(undefined);
    notifications.show({ message: t('form.saved', { name: saved.name }) });
  };
  const drop = (): void => {
    setEdits(undefined);
    patch.reset();
    void refreshSources();
  };
  const problem = patch.error instanceof ApiProblem ? patch.error : undefined;
  return (
    <Paper withBorder p="md" component="section" aria-label={t('page.settings')}>
      <Title order={2} size="h5" mb="sm">
        {t('page.settings')}
      </Title>
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          void save(false);
        }}
      >
        <Stack>
          <DescriptionField
            value={description}
            isReadOnly={!mayWrite}
            onChange={(next) => edit({ description: next })}
          />
          <SchemaForm
            schema={type.configSchema}
            value={config}
            stored={new Set(source.secretFields.map((field) => `/${field}`))}
            problems={configProblems(patch.error)}
            isReadOnly={!mayWrite}
            onChange={(next) => edit({ config: next })}
          />
          {problem?.status === 412 ? (
            <Alert color="yellow" variant="outline" role="alert" title={t('conflict.title')}>
              <Text size="sm">{t('conflict.text')}</Text>
            </Alert>
          ) : (
            problem?.code !== UNCONFIRMED && <ProblemAlert error={patch.error} />
          )}
          {mayWrite && (
            <Group justify="flex-end">
              <Button variant="default" disabled={!isDirty} onClick={drop}>
                {t('form.drop')}
              </Button>
              <Button
                type="submit"
                disabled={!isDirty || lengthOf(description) > MAX_DESCRIPTION}
                loading={patch.isPending}
              >
                {t('form.save')}
              </Button>
            </Group>
          )}
          {problem?.code === UNCONFIRMED && (
            <SaveAllTheSame
              error={problem}
              onConfirm={() => void save(true)}
              onClose={patch.reset}
            />
          )}
        </Stack>
      </form>
    </Paper>
  );
}
