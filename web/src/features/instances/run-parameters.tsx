import { Stack, Text, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { declaredParameters } from './declared-parameters.ts';

/** The declared parameters; what is left empty keeps its expression. */
export function RunParameters({
  ws,
  id,
  values,
  onChange,
}: {
  readonly ws: string;
  readonly id: string;
  readonly values: Readonly<Record<string, string>>;
  readonly onChange: (values: Readonly<Record<string, string>>) => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  const versions = $api.useQuery('get', '/api/v1/workspaces/{ws}/workflows/{id}/versions', {
    params: { path: { ws, id }, query: { limit: 1 } },
  });
  const declared = declaredParameters(versions.data?.items[0]?.spec);
  if (declared.length === 0) return null;
  return (
    <Stack gap="xs" component="fieldset" p={0} m={0} bd={0}>
      <Text component="legend" size="sm" fw={600}>
        {t('run.parameters')}
      </Text>
      {declared.map(([name, expression]) => (
        <TextInput
          key={name}
          label={name}
          placeholder={expression}
          description={t('run.default', { expression })}
          value={values[name] ?? ''}
          onChange={({ currentTarget: { value } }) => {
            const { [name]: _before, ...others } = values;
            onChange(value === '' ? others : { ...others, [name]: value });
          }}
        />
      ))}
    </Stack>
  );
}
