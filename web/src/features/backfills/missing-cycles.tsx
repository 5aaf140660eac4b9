import { Alert, List, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { components } from '../../api/schema.gen.ts';

type Missing = components['schemas']['BackfillMissing'];
type Cycle = Missing['cycles'][number];

/** More than that nobody reads; the counts are of all. */
const MAX_CYCLES = 20;

/** Why cycles of a plan run, and what nobody could look for. */
export function MissingCycles({
  plan: { missing },
}: {
  readonly plan: Pick<components['schemas']['BackfillPlan'], 'missing'>;
}): ReactNode {
  const { t } = useTranslation('backfills');
  if (missing === null) return null;
  const { counts, uncheckedTables } = missing;
  return (
    <Stack gap="xs" data-testid="missing-cycles">
      <Cycles reason="gone_at_source" count={counts.goneAtSource} cycles={missing.cycles} />
      {counts.unchecked > 0 && (
        <Alert color="yellow" variant="light" title={t('missing.notChecked')}>
          <Stack gap="xs">
            <List size="sm">
              {uncheckedTables.map(({ resourceGroup, dataSource, table, code, detail }) => (
                <List.Item key={`${resourceGroup} ${dataSource} ${table}`}>
                  {t('missing.table', { dataSource, table, group: resourceGroup })} {code}: {detail}
                </List.Item>
              ))}
            </List>
            <Cycles reason="unchecked" count={counts.unchecked} cycles={missing.cycles} />
          </Stack>
        </Alert>
      )}
      <Cycles reason="no_record" count={counts.noRecord} cycles={missing.cycles} />
    </Stack>
  );
}

function Cycles({
  reason,
  count,
  cycles,
}: {
  readonly reason: Cycle['reason'];
  readonly count: number;
  readonly cycles: readonly Cycle[];
}): ReactNode {
  const { t } = useTranslation('backfills');
  if (count === 0) return null;
  const shown = cycles.filter((cycle) => cycle.reason === reason).slice(0, MAX_CYCLES);
  const more = count - shown.length;
  return (
    <div>
      <Text size="sm" fw={600}>
        {t(`missing.${reason}`, { count })}
      </Text>
      <List size="sm">
        {shown.map((cycle) => (
          <List.Item key={`${cycle.node} ${cycle.scheduledTime}`}>
            {cycle.node}, {cycle.bizdate}
            {cycle.dataSource !== null && ` (${placeOf(cycle)})`}
          </List.Item>
        ))}
      </List>
      {more > 0 && <Text size="xs">{t('missing.more', { count: more })}</Text>}
    </div>
  );
}

function placeOf({ dataSource, table, partition }: Cycle): string {
  return [dataSource, table, partition].filter((part) => part !== null && part !== '').join(', ');
}
