import { Button, Group, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { ConnectivityReport } from './connectivity-report.tsx';
import { refreshSources, SOURCES, UNCONFIRMED } from './data-source-api.ts';
import { DescriptionField, MAX_DESCRIPTION } from './description-field.tsx';
import { configProblems, problemOf } from './field-problems.ts';
import { type Config, isSourceName, lengthOf, missingFields } from './json-schema.ts';
import type { PluginType } from './plugin-types.ts';
import { DEFAULT_GROUP, ResourceGroupSelect } from './resource-group-select.tsx';
import { SaveAllTheSame } from './save-all-the-same.tsx';
import { SchemaForm } from './schema-form.tsx';

type Environment = components['schemas']['DataSource']['environment'];

const TEST = '/api/v1/workspaces/{ws}/data-sources/test';

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
  const { name: ws } = useWorkspace();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [environment, setEnvironment] = useState<Environment>('production');
  const [url, setUrl] = useState('');
  const [config, setConfig] = useState<Config>({});
  const [group, setGroup] = useState(DEFAULT_GROUP);
  const test = $api.useMutation('post', TEST);
  const create = $api.useMutation('post', SOURCES);
  const path = { ws };
  const connection = {
    type: type.type,
    config: { ...config },
    resourceGroup: group,
    ...(url.trim() === '' ? {} : { url: url.trim() }),
  };
  // What a connection string has need not be typed again; the server says what it lacks.
  const hasUrl = url.trim() !== '';
  const missing = hasUrl ? [] : missingFields(type.configSchema, config);
  const isReady = isSourceName(name) && missing.length === 0;
  const save = async (confirmFailedTest: boolean): Promise<void> => {
    const body = {
      ...connection,
      name,
      description,
      environment,
      region: '',
      networkType: '',
      cidr: '',
      test: false,
      confirmFailedTest,
    };
    const made = await create.mutateAsync({ params: { path }, body }).catch(() => undefined);
    if (made === undefined) return;
    await refreshSources();
    onCreated(made.id);
  };
  const refused = create.error ?? test.error;
  const isUnconfirmed = create.error instanceof ApiProblem && create.error.code === UNCONFIRMED;
  const problems = configProblems(refused);
  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void save(false);
      }}
    >
      <Stack>
        <TextInput
          label={t('form.name')}
          description={t('form.nameRule')}
          value={name}
          required
          maxLength={63}
          autoComplete="off"
          data-autofocus
          error={
            name !== '' && !isSourceName(name) ? t('form.nameWrong') : problemOf(refused, '/name')
          }
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <DescriptionField value={description} onChange={setDescription} />
        <SegmentedControl
          aria-label={t('list.environment')}
          data={[
            { value: 'production', label: t('environment.production') },
            { value: 'development', label: t('environment.development') },
          ]}
          value={environment}
          onChange={(next) => setEnvironment(next === 'production' ? next : 'development')}
        />
        {type.canParseUrl && type.configSchema.properties?.['host'] !== undefined && (
          <TextInput
            label={t('form.url')}
            description={t('form.urlHelp')}
            value={url}
            placeholder={`jdbc:${type.type === 'postgres' ? 'postgresql' : type.type}://host:port/database`}
            autoComplete="off"
            error={problemOf(refused, '/url')}
            onChange={(event) => setUrl(event.currentTarget.value)}
          />
        )}
        <SchemaForm
          schema={hasUrl ? { ...type.configSchema, required: [] } : type.configSchema}
          value={config}
          onChange={setConfig}
          problems={problems}
        />
        <ResourceGroupSelect value={group} onChange={setGroup} />
        {test.data !== undefined && (
          <ConnectivityReport
            report={test.data.report}
            workerAddresses={test.data.workerAddresses}
          />
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
            loading={test.isPending}
            onClick={() => {
              create.reset();
              test.mutate({ params: { path }, body: connection });
            }}
          >
            {t('test.start')}
          </Button>
          <Button
            type="submit"
            disabled={!isReady || lengthOf(description) > MAX_DESCRIPTION}
            loading={create.isPending}
          >
            {t('form.save')}
          </Button>
        </Group>
        {isUnconfirmed && (
          <SaveAllTheSame
            error={create.error}
            onConfirm={() => void save(true)}
            onClose={create.reset}
          />
        )}
      </Stack>
    </form>
  );
}
