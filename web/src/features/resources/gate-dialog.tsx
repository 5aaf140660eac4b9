import { Button, Group, Modal, NumberInput, Select, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { type Gate, GATES, refreshResources } from './resources-api.ts';

const SCOPES = ['node', 'workflow', 'data_source'] as const;
const MAX_CAPACITY = 100_000;

interface GateForm {
  readonly scope: Gate['scope'];
  readonly workflow: string | null;
  readonly node: string | null;
  readonly dataSource: string | null;
  readonly capacity: number | string;
}

/** The form of a new gate, or how wide one is that is there. */
export function GateDialog({
  gate,
  onClose,
}: {
  readonly gate: Gate | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('resources');
  const { name: ws } = useWorkspace();
  const [base] = useState(gate);
  const [form, setForm] = useState<GateForm>(
    base ?? { scope: 'node', workflow: null, node: null, dataSource: null, capacity: 1 },
  );
  const create = $api.useMutation('post', GATES);
  const patch = $api.useMutation('patch', `${GATES}/{id}`);
  const wanted = gateOf(form);
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (wanted === undefined) return;
    const saving =
      base === undefined
        ? create.mutateAsync({ params: { path: { ws } }, body: wanted })
        : patch.mutateAsync({
            params: { path: { ws, id: base.id } },
            body: { capacity: wanted.capacity },
          });
    const saved = await saving.catch(() => undefined);
    await refreshResources();
    if (saved !== undefined) onClose();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t(base === undefined ? 'gates.new' : 'gates.edit')}
      closeOnClickOutside={false}
    >
      <form onSubmit={(event) => void save(event)}>
        <Stack>
          {base === undefined && (
            <TargetFields form={form} onChange={(part) => setForm({ ...form, ...part })} />
          )}
          <NumberInput
            label={t('gates.capacity')}
            description={t('gates.capacityHelp')}
            value={form.capacity}
            min={0}
            max={MAX_CAPACITY}
            allowDecimal={false}
            clampBehavior="strict"
            required
            onChange={(capacity) => setForm({ ...form, capacity })}
          />
          <ProblemAlert error={create.error ?? patch.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('app:cancel')}
            </Button>
            <Button
              type="submit"
              disabled={wanted === undefined}
              loading={create.isPending || patch.isPending}
            >
              {t('save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** `undefined`: something is missing. */
function gateOf({
  scope,
  workflow,
  node,
  dataSource,
  capacity: typed,
}: GateForm): components['schemas']['NewGate'] | undefined {
  if (typed === '') return undefined;
  const capacity = Number(typed);
  if (scope === 'data_source')
    return dataSource === null ? undefined : { scope, dataSource, capacity };
  if (workflow === null) return undefined;
  if (scope === 'workflow') return { scope, workflow, capacity };
  return node === null ? undefined : { scope, workflow, node, capacity };
}

function TargetFields({
  form,
  onChange,
}: {
  readonly form: GateForm;
  readonly onChange: (part: Partial<GateForm>) => void;
}): ReactNode {
  const { t } = useTranslation('resources');
  const { name: ws } = useWorkspace();
  const params = { params: { path: { ws }, query: { limit: 500 } } };
  const isSource = form.scope === 'data_source';
  const workflows = $api.useQuery('get', '/api/v1/workspaces/{ws}/workflows', params);
  const sources = $api.useQuery('get', '/api/v1/workspaces/{ws}/data-sources', params, {
    enabled: isSource,
  });
  const chosen = workflows.data?.items.find(({ name }) => name === form.workflow);
  const nodes = $api.useQuery(
    'get',
    '/api/v1/workspaces/{ws}/workflows/{id}/nodes',
    { params: { path: { ws, id: chosen?.id ?? '' } } },
    { enabled: chosen !== undefined && form.scope === 'node' },
  );
  const pick = (
    key: 'workflow' | 'node' | 'dataSource',
    items: readonly { readonly name: string }[] | undefined,
  ): ReactNode => (
    <Select
      label={t(`scope.${key === 'dataSource' ? 'data_source' : key}`)}
      data={(items ?? []).map(({ name }) => name)}
      value={form[key]}
      required
      searchable
      onChange={(value) =>
        onChange(key === 'workflow' ? { workflow: value, node: null } : { [key]: value })
      }
    />
  );
  return (
    <>
      <Select
        label={t('gates.before')}
        data={SCOPES.map((value) => ({ value, label: t(`scope.${value}`) }))}
        value={form.scope}
        allowDeselect={false}
        onChange={(value) => {
          const scope = SCOPES.find((each) => each === value);
          if (scope !== undefined) onChange({ scope });
        }}
      />
      {isSource ? pick('dataSource', sources.data?.items) : pick('workflow', workflows.data?.items)}
      {form.scope === 'node' && pick('node', nodes.data?.items)}
    </>
  );
}
