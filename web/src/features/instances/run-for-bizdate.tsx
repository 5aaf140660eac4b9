import { Button, Checkbox, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useMay, useWorkspace } from '../../app/workspace.tsx';
import { Bizdate } from '../../ui/instant.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { addDays, dateIn } from '../../ui/time.ts';
import { RunParameters } from './run-parameters.tsx';
import { useRun } from './use-run.tsx';

export interface RunForBizdateProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  /** Id of the workflow; without it the window has a choice of them. */
  readonly workflow?: string | undefined;
  /** What stands there first; yesterday in the zone of the schedules unless given. */
  readonly bizdate?: string | undefined;
}

/** Asks for a business date and runs a workflow for it at once, as a test run beside the daily plan. */
export function RunForBizdate({ opened, onClose, ...rest }: RunForBizdateProps): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <Modal opened={opened} onClose={onClose} title={t('run.title')}>
      <RunForm onClose={onClose} {...rest} />
    </Modal>
  );
}

/** The button that opens the window; absent where the role does not allow a run. */
export function RunForBizdateButton({
  workflow,
  bizdate,
}: Pick<RunForBizdateProps, 'workflow' | 'bizdate'>): ReactNode {
  const { t } = useTranslation('instances');
  const [isOpen, setOpen] = useState(false);
  const mayRun = useMay('develop');
  if (!mayRun) return null;
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setOpen(true)}>
        {t('run.open')}
      </Button>
      <RunForBizdate
        opened={isOpen}
        onClose={() => setOpen(false)}
        workflow={workflow}
        bizdate={bizdate}
      />
    </>
  );
}

function RunForm({
  onClose,
  workflow: given,
  bizdate: first,
}: Omit<RunForBizdateProps, 'opened'>): ReactNode {
  const { t } = useTranslation('instances');
  const { name: ws, timezone } = useWorkspace();
  const yesterday = addDays(dateIn(new Date(), timezone), -1);
  const [bizdate, setBizdate] = useState(first ?? yesterday);
  const [chosen, setChosen] = useState<string | null>(given ?? null);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const workflows = $api.useQuery('get', '/api/v1/workspaces/{ws}/workflows', {
    params: { path: { ws }, query: { limit: 200 } },
  });
  const runnable =
    workflows.data?.items.filter(({ latestVersion }) => latestVersion !== null) ?? [];
  const id = chosen ?? (runnable.length === 1 ? (runnable[0]?.id ?? null) : null);
  const [allowFuture, setAllowFuture] = useState(false);
  const isFuture = bizdate > yesterday;
  const { run, start } = useRun({
    ws,
    id,
    bizdate,
    values,
    allowFuture: isFuture && allowFuture,
    onStarted: onClose,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void start();
  };
  return (
    <Stack component="form" gap="sm" onSubmit={submit as never}>
      <ProblemAlert error={workflows.error} onRetry={() => void workflows.refetch()} />
      {given === undefined && (
        <WorkflowField
          runnable={runnable}
          value={id}
          onChange={(value) => {
            setChosen(value);
            setValues({});
          }}
        />
      )}
      <TextInput
        type="date"
        label={t('bizdate')}
        value={bizdate}
        required
        onChange={(event) => setBizdate(event.currentTarget.value)}
        {...(given === undefined ? {} : { 'data-autofocus': true })}
      />
      {bizdate !== '' && (
        <Text size="sm" c="var(--mr-text-dim)">
          <Bizdate bizdate={bizdate} />
        </Text>
      )}
      {isFuture && (
        <Checkbox
          label={t('run.future')}
          checked={allowFuture}
          onChange={(event) => setAllowFuture(event.currentTarget.checked)}
        />
      )}
      {id !== null && <RunParameters ws={ws} id={id} values={values} onChange={setValues} />}
      <ProblemAlert error={run.error} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button
          type="submit"
          color="blue.8"
          disabled={id === null || bizdate === '' || (isFuture && !allowFuture)}
          loading={run.isPending}
          data-testid="confirm-run"
        >
          {t('run.confirm')}
        </Button>
      </Group>
    </Stack>
  );
}

function WorkflowField({
  runnable,
  value,
  onChange,
}: {
  readonly runnable: readonly { readonly id: string; readonly name: string }[];
  readonly value: string | null;
  readonly onChange: (id: string | null) => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <Select
      label={t('workflow')}
      data={runnable.map(({ id, name }) => ({ value: id, label: name }))}
      value={value}
      onChange={onChange}
      nothingFoundMessage={t('run.noWorkflow')}
      searchable
      required
      data-autofocus
    />
  );
}
