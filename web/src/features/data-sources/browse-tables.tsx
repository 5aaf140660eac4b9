import {
  Button,
  Group,
  Paper,
  ScrollArea,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { sampleOf, tablesOf } from './browse-answer.ts';

const BROWSE = '/api/v1/workspaces/{ws}/data-sources/{id}/browse';
const MOST_TABLES = 500;

/** The tables that the data source can see, and the first rows of one. Asked for by a click: it connects. */
export function BrowseTables({
  sourceId,
  group,
}: {
  readonly sourceId: string;
  readonly group: string;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const { name: ws } = useWorkspace();
  const [like, setLike] = useState('');
  const [open, setOpen] = useState<string>();
  const list = $api.useMutation('post', BROWSE);
  const sample = $api.useMutation('post', BROWSE);
  const params = { path: { ws, id: sourceId } };
  const load = (event: FormEvent): void => {
    event.preventDefault();
    setOpen(undefined);
    const filter = like.trim() === '' ? {} : { like: like.trim() };
    list.mutate({
      params,
      body: {
        resourceGroup: group,
        request: { kind: 'tables', limit: MOST_TABLES, ...filter },
      },
    });
  };
  const show = (table: string): void => {
    setOpen(table);
    sample.mutate({
      params,
      body: { resourceGroup: group, request: { kind: 'sample', table, limit: 20 } },
    });
  };
  const tables = tablesOf(list.data);
  return (
    <Paper withBorder p="md" component="section" aria-label={t('browse.title')}>
      <Stack gap="sm">
        <Title order={2} size="h5">
          {t('browse.title')}
        </Title>
        <form onSubmit={load}>
          <Group align="flex-end">
            <TextInput
              label={t('browse.filter')}
              value={like}
              onChange={(event) => setLike(event.currentTarget.value)}
            />
            <Button type="submit" variant="default" loading={list.isPending}>
              {t('browse.load')}
            </Button>
          </Group>
        </form>
        <ProblemAlert error={list.error} />
        {tables?.length === 0 && <Text size="sm">{t('browse.none')}</Text>}
        {tables !== undefined && tables.length > 0 && (
          <ScrollArea.Autosize
            mah={280}
            type="auto"
            viewportProps={{ tabIndex: 0, role: 'group', 'aria-label': t('browse.title') }}
          >
            <Group gap="xs">
              {tables.map(({ name, rows }) => (
                <Button
                  key={name}
                  size="xs"
                  variant={name === open ? 'filled' : 'default'}
                  aria-pressed={name === open}
                  onClick={() => show(name)}
                >
                  {name}
                  {rows === undefined ? '' : ` · ${t('browse.rows', { count: rows })}`}
                </Button>
              ))}
            </Group>
          </ScrollArea.Autosize>
        )}
        {tables?.length === MOST_TABLES && (
          <Text size="xs" c="dimmed">
            {t('browse.cut', { most: MOST_TABLES })}
          </Text>
        )}
        <ProblemAlert error={sample.error} />
        {open !== undefined && <Rows table={open} answer={sample.data} />}
      </Stack>
    </Paper>
  );
}

function Rows({ table, answer }: { readonly table: string; readonly answer: unknown }): ReactNode {
  const { t } = useTranslation('data-sources');
  const found = sampleOf(answer);
  if (found === undefined) return null;
  return (
    <ScrollArea
      type="auto"
      viewportProps={{ tabIndex: 0, role: 'group', 'aria-label': t('browse.sample', { table }) }}
    >
      <Table withTableBorder withColumnBorders verticalSpacing={2} fz="xs" w="auto">
        <Table.Caption>{t('browse.sample', { table })}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            {found.columns.map((column) => (
              <Table.Th key={column}>{column}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {found.rows.map((row, at) => (
            <Table.Tr key={at}>
              {row.map((cell, column) => (
                <Table.Td key={found.columns[column]} style={{ whiteSpace: 'nowrap' }}>
                  {cell ?? (
                    <Text component="i" size="xs" c="dimmed">
                      NULL
                    </Text>
                  )}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea>
  );
}
