import { Button, Code, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { Instant } from '../../ui/instant.tsx';
import { asciiOf, cellsText, type DirtyRecord, keyText, obstacleOf } from './dirty-record.ts';

/** A row in quarantine: what it is, why it was refused, and what can still be done about it. */
export function DirtyRecordRow({
  record,
  mayMend,
  onEdit,
}: {
  readonly record: DirtyRecord;
  readonly mayMend: boolean;
  readonly onEdit: () => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  const { no, sliceNo, columnName, code, sqlState, reason, cells, original } = record;
  return (
    <Table.Tr style={{ verticalAlign: 'top' }}>
      <Table.Td>{no}</Table.Td>
      <Table.Td>{sliceNo ?? '–'}</Table.Td>
      <Table.Td>{keyText(record)}</Table.Td>
      <Table.Td>{columnName ?? '–'}</Table.Td>
      <Table.Td>
        <Text size="sm" miw={220} style={{ overflowWrap: 'anywhere' }}>
          {record.class !== null && `${t(`dirty.class.${record.class}`, record.class)}: `}
          {sqlState === null || sqlState === code ? code : `${code} (SQLSTATE ${sqlState})`}{' '}
          {reason}
        </Text>
      </Table.Td>
      <Table.Td>
        <Code block p={4} miw={300} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {original === null || cells.length > 0
            ? cellsText(record)
            : `${original.place}: ${asciiOf(original.base64)}`}
        </Code>
      </Table.Td>
      <Table.Td miw={150}>
        <RecordState record={record} />
        {mayMend && obstacleOf(record) === undefined && (
          <Button
            size="compact-sm"
            variant="default"
            aria-label={t('dirty.edit.open', { no })}
            onClick={onEdit}
          >
            {t('dirty.edit.button')}
          </Button>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function RecordState({ record }: { readonly record: DirtyRecord }): ReactNode {
  const { t } = useTranslation('instances');
  const obstacle = obstacleOf(record);
  if (obstacle === 'replayed')
    return (
      <Text size="sm">
        {t('dirty.state.replayed')} <Since at={record.replayedAt} />
      </Text>
    );
  if (obstacle !== undefined) return <Text size="sm">{t(`dirty.obstacle.${obstacle}`)}</Text>;
  return (
    <Text size="sm" mb={4}>
      {record.editedAt === null ? (
        t('dirty.state.kept')
      ) : (
        <>
          {t('dirty.state.mended')} <Since at={record.editedAt} />
        </>
      )}
    </Text>
  );
}

/** On a line of its own: in this narrow column it would break between date and time. */
function Since({ at }: { readonly at: string | null }): ReactNode {
  return (
    <Text span display="block" size="xs" c="var(--mr-text-dim)" style={{ whiteSpace: 'nowrap' }}>
      <Instant at={at} />
    </Text>
  );
}
