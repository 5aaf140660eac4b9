import { MultiSelect, NumberInput, Select, Switch, TagsInput, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { problemAt } from '../../api/problem-at.ts';
import { CONDITIONS, RUN_KINDS, type RuleDraft, targetsOf } from './rule-draft.ts';

export interface RuleFieldsProps {
  readonly draft: RuleDraft;
  /** Why the last save was refused. */
  readonly error: unknown;
  readonly onChange: (change: Partial<RuleDraft>) => void;
}

/** Name, what is waited for, and what is looked at. */
export function ConditionFields({ draft, error, onChange }: RuleFieldsProps): ReactNode {
  const { t } = useTranslation('alerts');
  return (
    <>
      <TextInput
        label={t('form.name')}
        value={draft.name}
        required
        maxLength={128}
        autoComplete="off"
        data-autofocus
        error={problemAt(error, '/name')}
        onChange={(event) => onChange({ name: event.currentTarget.value })}
      />
      <Switch
        label={t('form.enabled')}
        checked={draft.enabled}
        onChange={(event) => onChange({ enabled: event.currentTarget.checked })}
      />
      <Select
        label={t('rules.condition')}
        data={CONDITIONS.map((value) => ({ value, label: t(`condition.${value}`) }))}
        value={draft.condition}
        allowDeselect={false}
        error={problemAt(error, '/condition/kind')}
        onChange={(next) => {
          const condition = CONDITIONS.find((each) => each === next) ?? draft.condition;
          const targets = targetsOf(condition);
          const target = targets.includes(draft.target) ? draft.target : targets[0];
          onChange({ condition, ...(target === undefined ? {} : { target }) });
        }}
      />
      {draft.condition === 'failed' && (
        <MultiSelect
          label={t('form.runs')}
          description={t('form.runsHelp')}
          data={RUN_KINDS.map((value) => ({ value, label: t(`run.${value}`) }))}
          value={[...draft.runs]}
          error={problemAt(error, '/condition/runs')}
          onChange={(next) => onChange({ runs: RUN_KINDS.filter((each) => next.includes(each)) })}
        />
      )}
      {draft.condition === 'unfinished' && (
        <TextInput
          label={t('form.by')}
          description={t('form.byHelp')}
          value={draft.by}
          required
          maw={240}
          error={problemAt(error, '/condition/by')}
          onChange={(event) => onChange({ by: event.currentTarget.value })}
        />
      )}
      {draft.condition === 'no_worker' && (
        <NumberInput
          label={t('form.minutes')}
          value={draft.minutes}
          required
          min={1}
          maw={240}
          error={problemAt(error, '/condition/minutes')}
          onChange={(minutes) => onChange({ minutes })}
        />
      )}
      <TargetFields draft={draft} error={error} onChange={onChange} />
    </>
  );
}

function TargetFields({ draft, error, onChange }: RuleFieldsProps): ReactNode {
  const { t } = useTranslation('alerts');
  const { name: ws } = useWorkspace();
  const kinds = targetsOf(draft.condition);
  const groups = $api.useQuery('get', '/api/v1/resource-groups');
  const workflows = $api.useQuery('get', '/api/v1/workspaces/{ws}/workflows', {
    params: { path: { ws }, query: { limit: 500 } },
  });
  return (
    <>
      {kinds.length > 1 && (
        <Select
          label={t('rules.target')}
          data={kinds.map((value) => ({ value, label: t(`target.${value}`) }))}
          value={draft.target}
          allowDeselect={false}
          onChange={(next) =>
            onChange({ target: kinds.find((each) => each === next) ?? draft.target })
          }
        />
      )}
      {draft.target === 'workflows' && (
        <MultiSelect
          label={t('target.workflows')}
          data={workflows.data?.items.map(({ name }) => name) ?? []}
          value={[...draft.workflows]}
          searchable
          error={problemAt(error, '/target/workflows')}
          onChange={(next) => onChange({ workflows: next })}
        />
      )}
      {draft.target === 'nodes' && (
        <TagsInput
          label={t('target.nodes')}
          description={t('form.nodesHelp')}
          value={[...draft.nodes]}
          error={problemAt(error, '/target/nodes')}
          onChange={(nodes) => onChange({ nodes })}
        />
      )}
      {draft.target === 'resource_group' && (
        <Select
          label={t('target.resource_group')}
          data={groups.data?.items.map(({ name }) => name) ?? [draft.resourceGroup]}
          value={draft.resourceGroup}
          allowDeselect={false}
          error={problemAt(error, '/target/resourceGroup')}
          onChange={(next) => next !== null && onChange({ resourceGroup: next })}
        />
      )}
    </>
  );
}
