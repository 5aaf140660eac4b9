import { Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { components } from '../../api/schema.gen.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Bizdate, Instant } from '../../ui/instant.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';

/** What was submitted, the newest first. */
export function Versions({
  versions,
}: {
  readonly versions: readonly components['schemas']['WorkflowVersion'][] | undefined;
}): ReactNode {
  const { t } = useTranslation('workflows');
  if (versions === undefined) return <PageLoader />;
  if (versions.length === 0)
    return <EmptyState title={t('versions.none')}>{t('versions.noneText')}</EmptyState>;
  return (
    <Table.ScrollContainer minWidth={720}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('list.version')}</Table.Th>
            <Table.Th>{t('versions.comment')}</Table.Th>
            <Table.Th>{t('versions.first')}</Table.Th>
            <Table.Th>{t('versions.at')}</Table.Th>
            <Table.Th>{t('versions.by')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {versions.map(({ id, version, comment, firstBizdate, submittedAt, submittedBy }) => (
            <Table.Tr key={id}>
              <Table.Td>{t('list.versionNo', { version })}</Table.Td>
              <Table.Td>
                <Text size="sm">{comment === '' ? '–' : comment}</Text>
              </Table.Td>
              <Table.Td>
                <Bizdate bizdate={firstBizdate} />
              </Table.Td>
              <Table.Td>
                <Instant at={submittedAt} />
              </Table.Td>
              <Table.Td>{submittedBy ?? '–'}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
