import { Anchor, Badge, Group, Stack, Table, Text, VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useMay } from '../../app/workspace.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { formatDuration } from '../../ui/time.ts';
import { DrainButton } from './drain-button.tsx';
import { GroupDialog } from './group-dialog.tsx';
import { GROUPS, REFRESH_MS, refreshResources, type ResourceGroup } from './resources-api.ts';

/** All resource groups of the installation. `editing`: the id of the one whose form is open, or `new`. */
export function GroupList({
  editing,
  onEdit,
}: {
  readonly editing: string | null;
  readonly onEdit: (id: string | null) => void;
}): ReactNode {
  const mayWrite = useMay('writeResourceGroups');
  const { data, error, refetch } = $api.useQuery(
    'get',
    GROUPS,
    {},
    { refetchInterval: REFRESH_MS },
  );
  const edited = data?.items.find(({ id }) => id === editing);
  return (
    <Stack>
      {error !== null && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <PageLoader />}
      {data !== undefined && <GroupTable groups={data.items} onEdit={onEdit} />}
      {mayWrite && (editing === 'new' || edited !== undefined) && (
        <GroupDialog key={editing} group={edited} onClose={() => onEdit(null)} />
      )}
    </Stack>
  );
}

function GroupTable({
  groups,
  onEdit,
}: {
  readonly groups: readonly ResourceGroup[];
  readonly onEdit: (id: string) => void;
}): ReactNode {
  const { t } = useTranslation('resources');
  const mayWrite = useMay('writeResourceGroups');
  const patch = $api.useMutation('patch', `${GROUPS}/{id}`, { onSettled: refreshResources });
  return (
    <>
      <ProblemAlert error={patch.error} />
      <Table.ScrollContainer minWidth={860}>
        <Table highlightOnHover aria-label={t('groups.tab')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('name')}</Table.Th>
              <Table.Th>{t('groups.slots')}</Table.Th>
              <Table.Th>{t('groups.schedulingSlots')}</Table.Th>
              <Table.Th>{t('waiting')}</Table.Th>
              <Table.Th>{t('groups.oldestWait')}</Table.Th>
              <Table.Th>{t('groups.workers')}</Table.Th>
              <Table.Th>{t('groups.addresses')}</Table.Th>
              <Table.Th>
                <VisuallyHidden>{t('actions')}</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {groups.map((group) => (
              <Table.Tr key={group.id}>
                <Table.Td>
                  <GroupName group={group} onEdit={mayWrite ? onEdit : undefined} />
                </Table.Td>
                <Table.Td>
                  <Slots group={group} />
                </Table.Td>
                <Table.Td>
                  {group.schedulingSlots === null
                    ? '–'
                    : `${group.schedulingSlotsUsed}/${group.schedulingSlots}`}
                </Table.Td>
                <Table.Td>{group.waiting}</Table.Td>
                <Table.Td>
                  {group.oldestWaitSeconds === null
                    ? '–'
                    : formatDuration(group.oldestWaitSeconds * 1000)}
                </Table.Td>
                <Table.Td>{group.workers.filter(({ state }) => state === 'live').length}</Table.Td>
                <Table.Td>{group.addresses.join(', ') || '–'}</Table.Td>
                <Table.Td>
                  {mayWrite && (
                    <DrainButton
                      name={group.name}
                      isDraining={group.draining}
                      isPending={patch.isPending && patch.variables.params.path.id === group.id}
                      onChange={(draining) =>
                        patch.mutate({ params: { path: { id: group.id } }, body: { draining } })
                      }
                    />
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

function GroupName({
  group: { id, name, description, draining },
  onEdit,
}: {
  readonly group: ResourceGroup;
  readonly onEdit: ((id: string) => void) | undefined;
}): ReactNode {
  const { t } = useTranslation('resources');
  return (
    <>
      <Group gap="xs">
        {onEdit === undefined ? (
          name
        ) : (
          <Anchor component="button" fz="inherit" underline="always" onClick={() => onEdit(id)}>
            {name}
          </Anchor>
        )}
        {draining && (
          <Badge miw="max-content" variant="outline" color="yellow" c="var(--mr-text)">
            {t('state.draining')}
          </Badge>
        )}
      </Group>
      {description !== '' && (
        <Text size="xs" c="var(--mr-text-dim)">
          {description}
        </Text>
      )}
    </>
  );
}

function Slots({ group }: { readonly group: ResourceGroup }): ReactNode {
  const { t } = useTranslation('resources');
  const quotas = Object.entries(group.quotas).map(([type, slots]) => `${type} ≤ ${slots}`);
  return (
    <>
      {group.slotsUsed}/{group.slots}
      <Text size="xs" c="var(--mr-text-dim)">
        {[t('groups.share', { percent: group.backfillShare }), ...quotas].join(', ')}
      </Text>
    </>
  );
}
