import { Code, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { type InstanceDetail, parametersOf } from './instances-api.ts';

/** The parameters with the values that they were resolved to. */
export function ParametersPanel({ instance }: { readonly instance: InstanceDetail }): ReactNode {
  const { t } = useTranslation('instances');
  const parameters = parametersOf(instance);
  if (parameters.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t('parameters.none')}
      </Text>
    );
  return (
    <Table.ScrollContainer minWidth={280}>
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('parameters.name')}</Table.Th>
            <Table.Th>{t('parameters.value')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {parameters.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>{name}</Table.Td>
              <Table.Td>
                <Code style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{value}</Code>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
