import { Anchor, Badge, Button, Stack, Table, Text, VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useMayOperate, useWorkspace } from '../../app/workspace.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { PageLoader } from '../../ui/page-loader.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { type AlertRule, RULES } from './alerts-api.ts';
import { RuleDialog } from './rule-dialog.tsx';
import { TestRule } from './test-rule.tsx';

const MAX_RULES = 500;

/** The rules of the workspace. `editing`: the id of the one whose form is open, or `new`. */
export function RuleList({
  editing,
  onEdit,
}: {
  readonly editing: string | null;
  readonly onEdit: (id: string | null) => void;
}): ReactNode {
  const { t } = useTranslation('alerts');
  const { name: ws } = useWorkspace();
  const mayWrite = useMayOperate();
  const { data, error, refetch } = $api.useQuery('get', RULES, {
    params: { path: { ws }, query: { limit: MAX_RULES } },
  });
  const rules = data?.items;
  const edited = rules?.find(({ id }) => id === editing);
  return (
    <Stack>
      {error !== null && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {rules === undefined && error === null && <PageLoader />}
      {rules?.length === 0 && (
        <EmptyState
          title={t('rules.none')}
          action={mayWrite && <Button onClick={() => onEdit('new')}>{t('rules.new')}</Button>}
        >
          {t('rules.noneText')}
        </EmptyState>
      )}
      {rules !== undefined && rules.length > 0 && <RuleTable rules={rules} onEdit={onEdit} />}
      {mayWrite && (editing === 'new' || edited !== undefined) && (
        <RuleDialog key={editing} rule={edited} onClose={() => onEdit(null)} />
      )}
    </Stack>
  );
}

function RuleTable({
  rules,
  onEdit,
}: {
  readonly rules: readonly AlertRule[];
  readonly onEdit: (id: string) => void;
}): ReactNode {
  const { t } = useTranslation('alerts');
  const mayWrite = useMayOperate();
  return (
    <Table.ScrollContainer minWidth={720}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('rules.name')}</Table.Th>
            <Table.Th>{t('rules.condition')}</Table.Th>
            <Table.Th>{t('rules.target')}</Table.Th>
            <Table.Th>{t('rules.tells')}</Table.Th>
            <Table.Th>{t('rules.lastMessage')}</Table.Th>
            <Table.Th>
              <VisuallyHidden>{t('actions')}</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rules.map((rule) => (
            <Table.Tr key={rule.id}>
              <Table.Td>
                {mayWrite ? (
                  <Anchor
                    component="button"
                    fz="inherit"
                    underline="always"
                    onClick={() => onEdit(rule.id)}
                  >
                    {rule.name}
                  </Anchor>
                ) : (
                  rule.name
                )}
                <Text size="xs" c="dimmed">
                  {rule.enabled ? rule.owner : t('rules.off')}
                </Text>
              </Table.Td>
              <Table.Td>{t(`condition.${rule.condition.kind}`)}</Table.Td>
              <Table.Td>
                <TargetWords target={rule.target} />
              </Table.Td>
              <Table.Td>
                {[...(rule.webhook === null ? [] : [rule.webhook.origin]), ...rule.emails].join(
                  ', ',
                )}
              </Table.Td>
              <Table.Td>
                <LastMessage rule={rule} />
              </Table.Td>
              <Table.Td>{mayWrite && <TestRule id={rule.id} />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function TargetWords({ target }: { readonly target: AlertRule['target'] }): ReactNode {
  const { t } = useTranslation('alerts');
  switch (target.kind) {
    case 'all':
      return t('target.all');
    case 'workflows':
      return target.workflows.join(', ');
    case 'nodes':
      return target.nodes.map(({ workflow, node }) => `${workflow}/${node}`).join(', ');
    case 'resource_group':
      return t('target.group', { name: target.resourceGroup });
  }
}

function LastMessage({ rule }: { readonly rule: AlertRule }): ReactNode {
  const { t } = useTranslation('alerts');
  const last = rule.lastDelivery;
  if (last === null) return '–';
  const color = { delivered: 'green', waiting: 'yellow', failed: 'red' }[last.status];
  return (
    <Stack gap={2} align="flex-start">
      <Badge miw="max-content" variant="outline" color={color}>
        {t(`delivery.${last.status}`)}
      </Badge>
      {last.errorDetail !== null && (
        <Text size="xs" c="dimmed">
          {last.errorCode} {last.errorDetail}
        </Text>
      )}
    </Stack>
  );
}
