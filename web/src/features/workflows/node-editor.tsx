import { Group, MultiSelect, Paper, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import type { FieldProblem } from '../../api/problem.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { SchemaForm } from '../data-sources/schema-form.tsx';
import { JsonField } from '../data-sources/text-fields.tsx';
import { usePluginTypes } from '../data-sources/plugin-types.ts';
import { configProblems, type DraftNode, needText } from './draft.ts';

const BACKFILL_RULES = ['allowed', 'forbidden'] as const;

/** One node of the draft: what it waits for and the fields of its configuration. */
export function NodeEditor({
  node,
  others,
  fields,
  onChange,
  isReadOnly,
}: {
  readonly node: DraftNode;
  /** Names that it can wait for. */
  readonly others: readonly string[];
  readonly fields: readonly FieldProblem[];
  readonly onChange: (change: Readonly<Record<string, unknown>>) => void;
  readonly isReadOnly: boolean;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const { nodes } = usePluginTypes();
  const type = nodes?.find((each) => each.type === node.type);
  const problemOf = (name: string): string | undefined =>
    fields.find(({ pointer }) => pointer === `/nodes/${node.index}/${name}`)?.detail;
  return (
    <Paper withBorder p="md" component="section" aria-label={node.id}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4">
            {node.id}
          </Title>
          <Text size="sm" c="dimmed">
            {type?.title ?? node.type}
          </Text>
        </Group>
        {problemOf('type') !== undefined && (
          <Text size="sm" c="var(--mr-now)" role="alert">
            {problemOf('type')}
          </Text>
        )}
        <TextInput
          label={t('node.description')}
          value={node.description}
          maxLength={1000}
          readOnly={isReadOnly}
          error={problemOf('description')}
          onChange={(event) => {
            const text = event.currentTarget.value;
            onChange({ description: text === '' ? undefined : text });
          }}
        />
        <MultiSelect
          label={t('node.needs')}
          description={t('node.needsHelp')}
          data={[...new Set([...others, ...node.needs])]}
          value={[...node.needs]}
          searchable
          readOnly={isReadOnly}
          error={problemOf('needs')}
          onChange={(names) => {
            const needs = [...names, ...node.otherNeeds];
            onChange({ needs: needs.length === 0 ? undefined : needs });
          }}
        />
        {node.otherNeeds.length > 0 && (
          <Text size="sm" c="dimmed">
            {t('node.otherNeeds', { needs: node.otherNeeds.map(needText).join(', ') })}
          </Text>
        )}
        <Select
          label={t('node.backfill')}
          description={t('node.backfillHelp')}
          data={BACKFILL_RULES.map((value) => ({ value, label: t(`node.backfills.${value}`) }))}
          value={node.backfill ?? 'allowed'}
          allowDeselect={false}
          readOnly={isReadOnly}
          error={problemOf('backfill')}
          onChange={(rule) => onChange({ backfill: rule === 'forbidden' ? rule : undefined })}
        />
        <ConfigFields
          node={node}
          problems={configProblems(fields, node.index)}
          onChange={onChange}
          isReadOnly={isReadOnly}
        />
      </Stack>
    </Paper>
  );
}

function ConfigFields({
  node,
  problems,
  onChange,
  isReadOnly,
}: {
  readonly node: DraftNode;
  readonly problems: ReadonlyMap<string, string>;
  readonly onChange: (change: Readonly<Record<string, unknown>>) => void;
  readonly isReadOnly: boolean;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const { nodes } = usePluginTypes();
  const sources = $api.useQuery('get', '/api/v1/workspaces/{ws}/data-sources', {
    params: { path: { ws }, query: { limit: 500 } },
  });
  const schema = nodes?.find((each) => each.type === node.type)?.configSchema;
  const whole = problems.get('');
  if (nodes === undefined) return null;
  return (
    <>
      {whole !== undefined && (
        <Text size="sm" c="var(--mr-now)" role="alert">
          {whole}
        </Text>
      )}
      {schema === undefined ? (
        <>
          <JsonField
            label={t('node.config')}
            description={t('node.configHelp')}
            error={[...problems].map(([at, detail]) => `${at}: ${detail}`).join('; ') || undefined}
            required={false}
            readOnly={isReadOnly}
            placeholder={undefined}
            value={node.config}
            onChange={(config) => onChange({ config })}
          />
        </>
      ) : (
        <SchemaForm
          schema={schema}
          value={node.config}
          onChange={(config) => onChange({ config })}
          problems={problems}
          choices={{ dataSource: sources.data?.items.map(({ name }) => name) ?? [] }}
          isReadOnly={isReadOnly}
        />
      )}
    </>
  );
}
