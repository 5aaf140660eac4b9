import {
  Anchor,
  Button,
  Group,
  Modal,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';

import { $api, queryClient } from '../../api/client.ts';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { addDays, dateIn } from '../../ui/time.ts';
import { BACKFILLS, BACKFILLS_PLAN } from './backfill-api.ts';
import { type BackfillForm, datesOf, lackOf, MAX_PARALLELISM, requestOf } from './backfill-form.ts';
import { lastWeek } from './backfill-range.ts';
import { HowFields } from './how-fields.tsx';
import { PlanPreview } from './plan-preview.tsx';
import { RangeFields } from './range-fields.tsx';
import { ScopeFields } from './scope-fields.tsx';

const MAX_NAME = 128;

/** Asks for a workflow and business dates, shows the plan of that, and starts it. */
export function NewBackfill({
  workflow,
  onClose,
}: {
  /** Id of the workflow that is chosen first. */
  readonly workflow: string | null;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('backfills');
  return (
    <Modal opened onClose={onClose} title={t('new.title')} size="xl">
      <Form workflow={workflow} onClose={onClose} />
    </Modal>
  );
}

function emptyForm(last: string): BackfillForm {
  return {
    ranges: [lastWeek(last)],
    order: 'asc',
    parallelism: 1,
    mode: 'workflow',
    acrossWorkflows: false,
    nodes: [],
    endNodes: [],
    include: [],
    exclude: [],
    only: 'all',
    checkSource: false,
    hours: { from: '', to: '' },
    window: { from: '', to: '' },
    resourceGroup: null,
    priority: '',
    runFutureNow: false,
  };
}

function Form({
  workflow: first,
  onClose,
}: {
  readonly workflow: string | null;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('backfills');
  const { name: ws, timezone } = useWorkspace();
  const yesterday = addDays(dateIn(new Date(), timezone), -1);
  const [workflow, setWorkflow] = useState(first);
  const [form, setForm] = useState(() => emptyForm(yesterday));
  const [typedName, setName] = useState<string>();
  const workflows = $api.useQuery('get', '/api/v1/workspaces/{ws}/workflows', {
    params: { path: { ws }, query: { limit: 500 } },
  });
  const submitted = (workflows.data?.items ?? []).filter((each) => each.latestVersion !== null);
  const chosen = submitted.find(({ id }) => id === workflow);
  const nodes = useNodeNames(chosen?.id);
  const plan = $api.useMutation('post', BACKFILLS_PLAN);
  const create = useCreate();
  const name = typedName ?? nameOf(chosen?.name, form);
  const change = (part: Partial<BackfillForm>): void => {
    setForm({ ...form, ...part });
    // What was planned is another backfill.
    plan.reset();
    create.reset();
  };
  if (create.data !== undefined) return <Started started={create.data} onClose={onClose} />;
  const lack = chosen === undefined || name === '' ? 'workflow' : lackOf(form, yesterday);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (chosen === undefined) return;
    const request = requestOf(chosen.id, form);
    if (plan.data === undefined) {
      await plan.mutateAsync({ params: { path: { ws } }, body: request }).catch(() => undefined);
      return;
    }
    await create.start({ ...request, name, planToken: plan.data.planToken });
  };
  const planAgain = (): void => {
    plan.reset();
    create.reset();
  };
  return (
    <form onSubmit={(event) => void send(event)}>
      <Stack>
        <Select
          label={t('new.workflow')}
          data={submitted.map(({ id, name: label }) => ({ value: id, label }))}
          value={chosen?.id ?? null}
          required
          searchable
          nothingFoundMessage={t('new.noWorkflow')}
          onChange={(value) => {
            setWorkflow(value);
            change({ nodes: [], endNodes: [], include: [], exclude: [] });
          }}
        />
        <RangeFields
          ranges={form.ranges}
          last={yesterday}
          isFutureAllowed={form.runFutureNow}
          onChange={(ranges) => change({ ranges })}
        />
        <HowMany form={form} />
        <OrderFields form={form} onChange={change} />
        <ScopeFields form={form} nodes={nodes} onChange={change} />
        <HowFields form={form} onChange={change} />
        <TextInput
          label={t('new.name')}
          value={name}
          required
          maxLength={MAX_NAME}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {plan.data !== undefined && <PlanPreview plan={plan.data} />}
        <ProblemAlert error={create.error ?? plan.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          {isStale(create.error) && (
            <Button variant="default" onClick={planAgain}>
              {t('plan.again')}
            </Button>
          )}
          <Button
            type="submit"
            loading={create.isPending || plan.isPending}
            disabled={lack !== undefined || plan.data?.totals.run === 0}
          >
            {t(plan.data === undefined ? 'plan.show' : 'new.start')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function nameOf(workflow: string | undefined, { ranges }: BackfillForm): string {
  const [first] = ranges;
  const more = ranges.length > 1 ? ` +${ranges.length - 1}` : '';
  return `${workflow ?? ''} ${first?.from ?? ''}…${first?.to ?? ''}${more}`
    .trim()
    .slice(0, MAX_NAME);
}

function isStale(error: unknown): boolean {
  return error instanceof ApiProblem && error.code === 'MR-S131';
}

interface Create {
  readonly data: components['schemas']['StartedBackfill'] | undefined;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly reset: () => void;
  readonly start: (body: components['schemas']['NewBackfill']) => Promise<void>;
}

function useCreate(): Create {
  const { name: ws } = useWorkspace();
  const [key, setKey] = useState(newIdempotencyKey);
  const { data, error, isPending, reset, mutateAsync } = $api.useMutation('post', BACKFILLS);
  const start: Create['start'] = async (body) => {
    await mutateAsync({
      // A second click on a slow answer is the same request and starts nothing.
      params: { path: { ws }, header: { 'Idempotency-Key': key } },
      body,
    }).catch(() => setKey(newIdempotencyKey()));
    await queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === BACKFILLS });
  };
  return { data, error, isPending, reset, start };
}

function OrderFields({
  form,
  onChange,
}: {
  readonly form: BackfillForm;
  readonly onChange: (part: Partial<BackfillForm>) => void;
}): ReactNode {
  const { t } = useTranslation('backfills');
  return (
    <Group align="flex-end" grow>
      <SegmentedControl
        aria-label={t('new.order')}
        data={[
          { value: 'asc', label: t('order.asc') },
          { value: 'desc', label: t('order.desc') },
        ]}
        value={form.order}
        onChange={(next) => onChange({ order: next === 'desc' ? next : 'asc' })}
      />
      <NumberInput
        label={t('new.parallelism')}
        value={form.parallelism}
        min={1}
        max={MAX_PARALLELISM}
        allowDecimal={false}
        clampBehavior="strict"
        onChange={(value) => onChange({ parallelism: Number(value) || 1 })}
      />
    </Group>
  );
}

function HowMany({ form }: { readonly form: BackfillForm }): ReactNode {
  const { t } = useTranslation('backfills');
  const dates = datesOf(form.ranges);
  return (
    <Text size="sm" role="status">
      {dates === 0 ? t('new.noRange') : t('new.dates', { count: dates })}
    </Text>
  );
}

function useNodeNames(workflowId: string | undefined): readonly string[] {
  const { name: ws } = useWorkspace();
  const versions = $api.useQuery(
    'get',
    '/api/v1/workspaces/{ws}/workflows/{id}/versions',
    { params: { path: { ws, id: workflowId ?? '' }, query: { limit: 1 } } },
    { enabled: workflowId !== undefined },
  );
  const spec: unknown = versions.data?.items[0]?.spec;
  if (typeof spec !== 'object' || spec === null || !('nodes' in spec)) return [];
  const nodes: readonly unknown[] = Array.isArray(spec.nodes) ? spec.nodes : [];
  return nodes.flatMap((node) =>
    typeof node === 'object' && node !== null && 'id' in node && typeof node.id === 'string'
      ? [node.id]
      : [],
  );
}

function Started({
  started,
  onClose,
}: {
  readonly started: components['schemas']['StartedBackfill'];
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('backfills');
  const pathOf = useWorkspacePath();
  return (
    <Stack role="status" data-testid="backfill-started">
      <Text>{t('started.text', { instances: started.instances, count: started.bizdates })}</Text>
      <Anchor component={Link} to={pathOf(`ops/backfills/${started.id}`)}>
        {t('started.page')}
      </Anchor>
      <Anchor component={Link} to={pathOf(`ops/instances?runGroup=${started.id}`)}>
        {t('started.instances')}
      </Anchor>
      <Group justify="flex-end">
        <Button onClick={onClose} data-autofocus>
          {t('app:close')}
        </Button>
      </Group>
    </Stack>
  );
}
