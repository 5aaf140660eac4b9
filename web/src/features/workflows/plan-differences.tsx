import { Anchor, List, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import type { components } from '../../api/schema.gen.ts';
import { useWorkspacePath } from '../../app/workspace.tsx';
import { Instant } from '../../ui/instant.tsx';
import type { Workflow } from './use-draft.ts';

type PlanPatch = components['schemas']['PlanPatch'];
type Listed = components['schemas']['PatchedInstance'] &
  Partial<
    Pick<components['schemas']['ReplacedInstance'], 'changes'> &
      Pick<components['schemas']['IsolatedInstance'], 'upstream'>
  >;

const LISTS = ['added', 'replaced', 'cancelled', 'isolated'] as const;
const MAX_SHOWN = 20;

/** What a version would change of a plan that is made, instance by instance. */
export function PlanDifferences({
  workflow,
  patch,
  onLeave,
}: {
  readonly workflow: Pick<Workflow, 'id' | 'name'>;
  readonly patch: PlanPatch;
  /** A name was followed to somewhere else. */
  readonly onLeave: () => void;
}): ReactNode {
  const { t } = useTranslation('workflows');
  return (
    <Stack gap="xs" data-testid="plan-patch">
      <Text size="sm">{t('patch.kept', { count: patch.totals.kept })}</Text>
      {LISTS.map((list) => (
        <div key={list}>
          <Text size="sm" fw={600}>
            {t(`patch.${list}`)}: {patch.totals[list]}
          </Text>
          <List size="sm">
            {patch[list].slice(0, MAX_SHOWN).map((each: Listed) => (
              <List.Item key={`${each.workflow}/${each.node} ${each.scheduledTime}`}>
                <InstanceLink
                  workflow={workflow}
                  instance={each}
                  isPlanned={list === 'replaced' || list === 'cancelled'}
                  onLeave={onLeave}
                />{' '}
                <Instant at={each.scheduledTime} />
                {each.changes !== undefined &&
                  ` (${each.changes.map((change) => t(`patch.changes.${change}`)).join(', ')})`}
                {each.upstream !== undefined && ` ← ${each.upstream}`}
              </List.Item>
            ))}
          </List>
          {patch.totals[list] > MAX_SHOWN && (
            <Text size="xs" c="var(--mr-text-dim)">
              {t('patch.more', { count: patch.totals[list] - MAX_SHOWN })}
            </Text>
          )}
        </div>
      ))}
    </Stack>
  );
}

/** What is in the plan leads to its instances, what would come into it to the node that makes it. */
function InstanceLink({
  workflow,
  instance: { workflow: name, node, bizdate },
  isPlanned,
  onLeave,
}: {
  readonly workflow: Pick<Workflow, 'id' | 'name'>;
  readonly instance: Listed;
  readonly isPlanned: boolean;
  readonly onLeave: () => void;
}): ReactNode {
  const pathOf = useWorkspacePath();
  const isOwn = name === workflow.name;
  const query = new URLSearchParams(
    isOwn && !isPlanned ? { view: 'nodes', node } : { bizdate, workflow: name, q: node },
  );
  const path = isOwn && !isPlanned ? `studio/wf/${workflow.id}` : 'ops/instances';
  return (
    <Anchor
      component={Link}
      to={`${pathOf(path)}?${query.toString()}`}
      inherit
      underline="always"
      onClick={onLeave}
    >
      {name}/{node}
    </Anchor>
  );
}
