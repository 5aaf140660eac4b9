import { Anchor, List, ScrollArea, Stack, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import type { components } from '../../api/schema.gen.ts';
import { useWorkspacePath } from '../../app/workspace.tsx';
import { Instant } from '../../ui/instant.tsx';
import { addDays, formatDuration } from '../../ui/time.ts';
import { MissingCycles } from './missing-cycles.tsx';

type Plan = components['schemas']['BackfillPlan'];

/** More than that nobody reads; the totals are of all. */
const MAX_DATES = 60;
const MAX_NODES = 40;
const MAX_CONFLICTS = 10;

/** What a backfill would do: totals, previous cycles, conflicts, and the matrix of dates and nodes. */
export function PlanPreview({ plan }: { readonly plan: Plan }): ReactNode {
  const { t } = useTranslation('backfills');
  const { totals, estimateMs, unknownNodes } = plan;
  return (
    <Stack gap="xs" role="status" data-testid="backfill-plan">
      <Text size="sm">
        {t('plan.totals', { ...totals, count: totals.dates })}
        {estimateMs !== null && ` ${t('plan.estimate', { duration: formatDuration(estimateMs) })}`}
        {unknownNodes > 0 && ` ${t('plan.unknown', { count: unknownNodes })}`}
      </Text>
      {plan.workflows.length > 1 && (
        <Text size="sm">
          {t('plan.workflows', {
            names: plan.workflows
              .map(({ name, version }) => t('plan.workflow', { name, version }))
              .join(', '),
          })}
        </Text>
      )}
      <DryRuns plan={plan} />
      <MissingCycles plan={plan} />
      <Choices plan={plan} />
      <Conflicts plan={plan} />
      <Matrix plan={plan} />
    </Stack>
  );
}

/** Why nodes have dry runs in every cycle: one line for each reason. */
function DryRuns({ plan }: { readonly plan: Plan }): ReactNode {
  const { t } = useTranslation('backfills');
  return (['left_out', 'backfill_forbidden'] as const).map((reason) => {
    const names = plan.nodes.filter((node) => node.reason === reason).map(({ name }) => name);
    if (names.length === 0) return null;
    const more = names.length > MAX_NODES ? ` +${names.length - MAX_NODES}` : '';
    const nodes = names.slice(0, MAX_NODES).join(', ') + more;
    return (
      <Text key={reason} size="sm">
        {t(`plan.${reason}`, { nodes })}
      </Text>
    );
  });
}

function Choices({ plan }: { readonly plan: Plan }): ReactNode {
  const { t } = useTranslation('backfills');
  const pathOf = useWorkspacePath();
  if (plan.choices.length === 0) return null;
  return (
    <div>
      <Text size="sm" fw={600}>
        {t('plan.choices')}
      </Text>
      <List size="sm">
        {plan.choices.map((choice) => (
          <List.Item key={choice.node}>
            {choice.node}, {choice.bizdate}:{' '}
            <Anchor component={Link} to={pathOf(`ops/instances/${choice.id}`)} underline="always">
              <Instant at={choice.scheduledTime} />
            </Anchor>{' '}
            ({choice.runGroup}, {choice.status})
          </List.Item>
        ))}
      </List>
    </div>
  );
}

function Conflicts({ plan }: { readonly plan: Plan }): ReactNode {
  const { t } = useTranslation('backfills');
  const pathOf = useWorkspacePath();
  if (plan.totals.conflicts === 0) return null;
  return (
    <div>
      <Text size="sm" fw={600}>
        {t('plan.conflicts', { count: plan.totals.conflicts })}
      </Text>
      <List size="sm">
        {plan.conflicts.slice(0, MAX_CONFLICTS).map((conflict) => (
          <List.Item key={conflict.id}>
            <Anchor component={Link} to={pathOf(`ops/instances/${conflict.id}`)} underline="always">
              {conflict.node}
            </Anchor>{' '}
            <Instant at={conflict.scheduledTime} /> ({conflict.runGroup}, {conflict.status})
          </List.Item>
        ))}
      </List>
    </div>
  );
}

function Matrix({ plan }: { readonly plan: Plan }): ReactNode {
  const { t } = useTranslation('backfills');
  const nodes = plan.nodes.slice(0, MAX_NODES);
  const dates = plan.dates.slice(0, MAX_DATES);
  return (
    <div>
      <ScrollArea.Autosize mah={260} type="auto" viewportProps={{ tabIndex: 0 }}>
        <Table withTableBorder withColumnBorders stickyHeader fz="xs" aria-label={t('plan.matrix')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('plan.bizdate')}</Table.Th>
              {nodes.map(({ name, reason }) => (
                <Table.Th key={name}>
                  {name}
                  {reason !== null && (
                    <Text size="xs" c="dimmed">
                      {t(`plan.column.${reason}`)}
                    </Text>
                  )}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {dates.map((date) => (
              <Table.Tr key={date.bizdate}>
                <Table.Th scope="row" title={t('plan.runDate', { date: addDays(date.bizdate, 1) })}>
                  {date.bizdate}
                </Table.Th>
                {nodes.map(({ name }, at) => (
                  <Table.Td key={name}>
                    <Cell date={date} at={at} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
      {(plan.nodes.length > MAX_NODES || plan.dates.length > MAX_DATES) && (
        <Text size="xs" c="dimmed">
          {t('plan.cut', { dates: plan.dates.length, nodes: plan.nodes.length })}
        </Text>
      )}
    </div>
  );
}

/** In words, never by colour alone. */
function Cell({
  date,
  at,
}: {
  readonly date: Plan['dates'][number];
  readonly at: number;
}): ReactNode {
  const { t } = useTranslation('backfills');
  const parts = (['run', 'dryRun', 'leftOut', 'conflicts'] as const).flatMap((kind) => {
    const count = date[kind][at] ?? 0;
    return count === 0 ? [] : [t(`plan.cell.${kind}`, { count })];
  });
  return parts.length === 0 ? '–' : parts.join(', ');
}
