import { TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { configProblems, problemOf } from './field-problems.ts';
import type { PluginType } from './plugin-types.ts';
import { ResourceGroupSelect } from './resource-group-select.tsx';
import { SchemaForm } from './schema-form.tsx';
import type { NewSource } from './use-new-source.ts';

/** Where a new data source is, and from where it is reached. */
export function ConnectionFields({
  type,
  source,
  refused,
  onChange,
}: {
  readonly type: PluginType;
  readonly source: NewSource;
  /** The last answer, where it was a refusal. */
  readonly refused: unknown;
  readonly onChange: (changed: Partial<NewSource>) => void;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const hasUrl = source.url.trim() !== '';
  return (
    <>
      {type.canParseUrl && type.configSchema.properties?.['host'] !== undefined && (
        <TextInput
          label={t('form.url')}
          description={t('form.urlHelp')}
          value={source.url}
          placeholder={`jdbc:${type.type === 'postgres' ? 'postgresql' : type.type}://host:port/database`}
          autoComplete="off"
          error={problemOf(refused, '/url')}
          onChange={(event) => onChange({ url: event.currentTarget.value })}
        />
      )}
      <SchemaForm
        schema={hasUrl ? { ...type.configSchema, required: [] } : type.configSchema}
        value={source.config}
        onChange={(config) => onChange({ config })}
        problems={configProblems(refused)}
      />
      <ResourceGroupSelect
        value={source.resourceGroup}
        onChange={(resourceGroup) => onChange({ resourceGroup })}
      />
    </>
  );
}
