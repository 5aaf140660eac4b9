import { Anchor, Badge, Button, Group, Stack, Table, VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { $api } from '../../api/client.ts';
import { useMayOperate, useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { GateDialog } from './gate-dialog.tsx';
import { type Gate, GATES, REFRESH_MS, refreshResources } from './resources-api.ts';

const MAX_HOLDERS = 3;

/** The gates of the workspace. `editing`: the id of the one whose form is open, or `new`. */
export function GateList({
  editing,
  onEdit,
}: {
  readonly editing: string | null;
  readonly onEdit: (id: string | null) => void;
}): ReactNode {
  const { t } = useTranslation('resources');
  const { name: ws } = useWorkspace();
  const mayWrite = useMayOperate();
  const { data, error, refetch } = $api.useQuery(
    'get',
    GATES,
    { params: { path: { ws } } },
    { refetchInterval: REFRESH_MS },
  );
  const edited = data?.items.find(({ id }) => id === editing);
  return (
    <Stack>
      {error !== null && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <PageLoader />}
      {data?.items.length === 0 && (
        <EmptyState
          title={t('gates.none')}
          action={mayWrite && <Button onClick={() => onEdit('new')}>{t('gates.new')}</Button>}
        >
          {t('gates.noneText')}
        </EmptyState>
      )}
      {data !== undefined && data.items.length > 0 && (
        <GateTable gates={data.items} onEdit={onEdit} />
      )}
      {mayWrite && (editing === 'new' || edited !== undefined) && (
        <GateDialog key={editing} gate={edited} onClose={() => onEdit(null)} />
      )}
    </Stack>
  );
}

function GateTable({
  gates,
  onEdit,
}: {
  readonly gates: readonly Gate[];
  readonly onEdit: (id: string) => void;
}): ReactNode {
  const { t } = useTranslation('resources');
  const { name: ws } = useWorkspace();
  const mayWrite = useMayOperate();
  const remove = $api.useMutation('delete', `${GATES}/{id}`, { onSettled: refreshResources });
  return (
    <>
      <ProblemAlert error={remove.error} />
      <Table.ScrollContainer minWidth={720}>
        <Table highlightOnHover aria-label={t('gates.tab')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('gates.before')}</Table.Th>
              <Table.Th>{t('running')}</Table.Th>
              <Table.Th>{t('waiting')}</Table.Th>
              <Table.Th>{t('gates.holders')}</Table.Th>
              <Table.Th>
                <VisuallyHidden>{t('actions')}</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {gates.map((gate) => (
              <Table.Tr key={gate.id}>
                <Table.Td>
                  <GateName gate={gate} />
                </Table.Td>
                <Table.Td>
                  {gate.running}/{gate.capacity}
                </Table.Td>
                <Table.Td>{gate.waiting}</Table.Td>
                <Table.Td>
                  <Holders gate={gate} />
                </Table.Td>
                <Table.Td>
                  {mayWrite && (
                    <Group gap="xs" wrap="nowrap">
                      <Button size="xs" variant="default" onClick={() => onEdit(gate.id)}>
                        {t('gates.change')}
                      </Button>
                      <Button
                        size="xs"
                        variant="default"
                        loading={remove.isPending && remove.variables.params.path.id === gate.id}
                        onClick={() => remove.mutate({ params: { path: { ws, id: gate.id } } })}
                      >
                        {t('gates.remove')}
                      </Button>
                    </Group>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

function GateName({ gate }: { readonly gate: Gate }): ReactNode {
  const { t } = useTranslation('resources');
  const { scope, workflow, node, dataSource, capacity } = gate;
  return (
    <Group gap="xs">
      {t(`scope.${scope}`)} {dataSource ?? [workflow, node].filter(Boolean).join('/')}
      {capacity === 0 && (
        <Badge miw="max-content" variant="outline" color="yellow" c="var(--mr-text)">
          {t('gates.shut')}
        </Badge>
      )}
    </Group>
  );
}

function Holders({ gate: { holders } }: { readonly gate: Gate }): ReactNode {
  const pathOf = useWorkspacePath();
  if (holders.length === 0) return '–';
  return (
    <Group gap="xs">
      {holders.slice(0, MAX_HOLDERS).map((id) => (
        <Anchor
          key={id}
          component={Link}
          to={pathOf(`ops/instances/${id}`)}
          fz="inherit"
          underline="always"
        >
          {id}
        </Anchor>
      ))}
      {holders.length > MAX_HOLDERS && `+${holders.length - MAX_HOLDERS}`}
    </Group>
  );
}
