import {
  Anchor,
  Button,
  Group,
  Modal,
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
import { datesIn, lastWeek } from './backfill-range.ts';

const BACKFILLS = '/api/v1/workspaces/{ws}/backfills';
const MAX_NAME = 128;

/** Asks for a workflow and a range, says how much that is, and starts it. */
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
    <Modal
      opened
      onClose={onClose}
      title={t('new.title')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('app:close') }}
    >
      <Form workflow={workflow} onClose={onClose} />
    </Modal>
  );
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
  const [range, setRange] = useState(lastWeek(yesterday));
  const [order, setOrder] = useState<'asc' | 'desc'>('asc');
  const [typedName, setName] = useState<string>();
  const [key, setKey] = useState(newIdempotencyKey);
  const workflows = $api.useQuery('get', '/api/v1/workspaces/{ws}/workflows', {
    params: { path: { ws }, query: { limit: 500 } },
  });
  const create = $api.useMutation('post', BACKFILLS);
  const submitted = (workflows.data?.items ?? []).filter((each) => each.latestVersion !== null);
  const chosen = submitted.find(({ id }) => id === workflow);
  const name = typedName ?? `${chosen?.name ?? ''} ${range.from}…${range.to}`.trim();
  const dates = datesIn(range.from, range.to);
  const isFuture = range.to > yesterday;
  const problem = (pointer: string): string | undefined =>
    create.error instanceof ApiProblem
      ? create.error.fields.find((field) => field.pointer === pointer)?.detail
      : undefined;
  const start = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (chosen === undefined) return;
    const body = { workflow: chosen.id, name, ...range, order };
    await create
      .mutateAsync({
        // A second click on a slow answer is the same request and starts nothing.
        params: { path: { ws }, header: { 'Idempotency-Key': key } },
        body,
      })
      .catch(() => setKey(newIdempotencyKey()));
    await queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === BACKFILLS });
  };
  if (create.data !== undefined)
    return <Started started={create.data} to={range.to} onClose={onClose} />;
  return (
    <form onSubmit={(event) => void start(event)}>
      <Stack>
        <Select
          label={t('new.workflow')}
          data={submitted.map(({ id, name: label }) => ({ value: id, label }))}
          value={chosen?.id ?? null}
          required
          searchable
          nothingFoundMessage={t('new.noWorkflow')}
          error={problem('/workflow')}
          onChange={setWorkflow}
        />
        <Group grow align="flex-start">
          <TextInput
            type="date"
            label={t('new.from')}
            value={range.from}
            max={yesterday}
            required
            error={problem('/from')}
            onChange={(event) => setRange({ ...range, from: event.currentTarget.value })}
          />
          <TextInput
            type="date"
            label={t('new.to')}
            value={range.to}
            max={yesterday}
            required
            error={problem('/to') ?? (isFuture ? t('new.future', { yesterday }) : undefined)}
            onChange={(event) => setRange({ ...range, to: event.currentTarget.value })}
          />
        </Group>
        <SegmentedControl
          aria-label={t('new.order')}
          data={[
            { value: 'asc', label: t('order.asc') },
            { value: 'desc', label: t('order.desc') },
          ]}
          value={order}
          onChange={(next) => setOrder(next === 'desc' ? next : 'asc')}
        />
        <TextInput
          label={t('new.name')}
          value={name}
          required
          maxLength={MAX_NAME}
          error={problem('/name')}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <HowMuch dates={dates} range={range} workflowId={chosen?.id} />
        <ProblemAlert error={create.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button
            type="submit"
            loading={create.isPending}
            disabled={chosen === undefined || dates === 0 || isFuture || name === ''}
          >
            {t('new.start')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function HowMuch({
  dates,
  range,
  workflowId,
}: {
  readonly dates: number;
  readonly range: { readonly from: string; readonly to: string };
  readonly workflowId: string | undefined;
}): ReactNode {
  const { t } = useTranslation('backfills');
  const { name: ws } = useWorkspace();
  const versions = $api.useQuery(
    'get',
    '/api/v1/workspaces/{ws}/workflows/{id}/versions',
    { params: { path: { ws, id: workflowId ?? '' }, query: { limit: 1 } } },
    { enabled: workflowId !== undefined },
  );
  const nodes = nodeCountOf(versions.data?.items[0]?.spec);
  if (dates === 0)
    return (
      <Text size="sm" role="status">
        {t('new.noRange')}
      </Text>
    );
  return (
    <div role="status">
      <Text size="sm">
        {t('new.dates', { count: dates })}
        {nodes !== undefined && ` ${t('new.instances', { count: dates * nodes, nodes })}`}
      </Text>
      <Text size="xs" c="dimmed">
        {t('new.runDates', { from: addDays(range.from, 1), to: addDays(range.to, 1) })}
      </Text>
    </div>
  );
}

function nodeCountOf(spec: unknown): number | undefined {
  if (typeof spec !== 'object' || spec === null || !('nodes' in spec)) return undefined;
  return Array.isArray(spec.nodes) ? spec.nodes.length : undefined;
}

function Started({
  started,
  to,
  onClose,
}: {
  readonly started: components['schemas']['StartedBackfill'];
  readonly to: string;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('backfills');
  const pathOf = useWorkspacePath();
  return (
    <Stack role="status" data-testid="backfill-started">
      <Text>{t('started.text', { instances: started.instances, count: started.bizdates })}</Text>
      <Anchor component={Link} to={pathOf(`ops/timeline?bizdate=${to}`)}>
        {t('started.timeline')}
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
