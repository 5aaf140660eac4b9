import { Select, Stack, Switch, TagsInput, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { type BackfillForm, SCOPE_MODES } from './backfill-form.ts';

const ONLY = ['all', 'missing', 'failed'] as const;

/** Which nodes of the workflow run, and which of their cycles. */
export function ScopeFields({
  form,
  nodes,
  onChange,
}: {
  readonly form: BackfillForm;
  /** Names of the workflow's nodes. */
  readonly nodes: readonly string[];
  readonly onChange: (part: Partial<BackfillForm>) => void;
}): ReactNode {
  const { t } = useTranslation('backfills');
  const pick = (key: 'nodes' | 'endNodes' | 'include' | 'exclude', label: string): ReactNode => (
    <TagsInput
      label={label}
      data={[...nodes]}
      value={[...form[key]]}
      clearable
      required={key === 'nodes' || key === 'endNodes'}
      onChange={(value) => onChange({ [key]: value })}
    />
  );
  const isChain = form.mode === 'chain';
  return (
    <Stack gap="xs">
      <Select
        label={t('new.scope')}
        data={SCOPE_MODES.map((value) => ({ value, label: t(`scope.${value}`) }))}
        value={form.mode}
        allowDeselect={false}
        onChange={(value) => {
          const mode = SCOPE_MODES.find((each) => each === value);
          if (mode !== undefined) onChange({ mode });
        }}
      />
      {form.mode !== 'workflow' && pick('nodes', t(isChain ? 'new.startNodes' : 'new.nodes'))}
      {isChain && pick('endNodes', t('new.endNodes'))}
      {(isChain || form.mode === 'downstream') && (
        <Switch
          label={t('new.acrossWorkflows')}
          checked={form.acrossWorkflows}
          onChange={(event) => onChange({ acrossWorkflows: event.currentTarget.checked })}
        />
      )}
      {form.mode !== 'workflow' && pick('include', t('new.include'))}
      {pick('exclude', t('new.exclude'))}
      {form.mode !== 'workflow' && (
        <Text size="xs" c="dimmed">
          {t('new.nodeHelp')}
        </Text>
      )}
      <Select
        label={t('new.only')}
        data={ONLY.map((value) => ({ value, label: t(`only.${value}`) }))}
        value={form.only}
        allowDeselect={false}
        onChange={(value) => {
          const only = ONLY.find((each) => each === value);
          if (only !== undefined) onChange({ only });
        }}
      />
      {form.only === 'missing' && (
        <Switch
          label={t('new.checkSource')}
          description={t('new.checkSourceHelp')}
          checked={form.checkSource}
          onChange={(event) => onChange({ checkSource: event.currentTarget.checked })}
        />
      )}
    </Stack>
  );
}
