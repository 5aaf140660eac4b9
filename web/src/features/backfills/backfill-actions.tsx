import { Button, Group, NumberInput, Popover, Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { BACKFILL, type BackfillDetail, refreshBackfills } from './backfill-api.ts';
import { MAX_PARALLELISM } from './backfill-form.ts';

/** Pause or resume, retry, more or fewer dates at once, cancel. */
export function BackfillActions({ backfill }: { readonly backfill: BackfillDetail }): ReactNode {
  const { t } = useTranslation('backfills');
  const { name: ws } = useWorkspace();
  const params = { path: { ws, id: backfill.id } };
  const onSettled = refreshBackfills;
  const pause = $api.useMutation('post', `${BACKFILL}/pause`, { onSettled });
  const resume = $api.useMutation('post', `${BACKFILL}/resume`, { onSettled });
  const retry = $api.useMutation('post', `${BACKFILL}/retry`, { onSettled });
  const cancel = $api.useMutation('post', `${BACKFILL}/cancel`, { onSettled });
  const failed = backfill.statuses['failed'] ?? 0;
  const isPaused = backfill.state === 'paused';
  const hold = isPaused ? resume : pause;
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Button
          variant="default"
          loading={hold.isPending}
          disabled={backfill.state === 'cancelling'}
          onClick={() => hold.mutate({ params })}
        >
          {t(isPaused ? 'actions.resume' : 'actions.pause')}
        </Button>
        <Button
          variant="default"
          loading={retry.isPending}
          disabled={failed === 0 || backfill.state === 'cancelling'}
          onClick={() => retry.mutate({ params })}
        >
          {t('actions.retry', { count: failed })}
        </Button>
        <Parallelism key={backfill.parallelism} backfill={backfill} />
        <Confirmed
          label={t('actions.cancel')}
          question={t('actions.cancelAsk')}
          isPending={cancel.isPending}
          onConfirm={() => cancel.mutate({ params })}
        />
      </Group>
      <ProblemAlert error={pause.error ?? resume.error ?? retry.error ?? cancel.error} />
    </Stack>
  );
}

function Parallelism({ backfill }: { readonly backfill: BackfillDetail }): ReactNode {
  const { t } = useTranslation('backfills');
  const { name: ws } = useWorkspace();
  const [value, setValue] = useState(backfill.parallelism);
  const change = $api.useMutation('patch', BACKFILL, { onSettled: refreshBackfills });
  return (
    <Popover withArrow trapFocus>
      <Popover.Target>
        <Button variant="default" disabled={backfill.state === 'cancelling'}>
          {t('actions.parallelism')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <NumberInput
            label={t('new.parallelism')}
            value={value}
            min={1}
            max={MAX_PARALLELISM}
            allowDecimal={false}
            clampBehavior="strict"
            data-autofocus
            onChange={(next) => setValue(Number(next) || 1)}
          />
          <ProblemAlert error={change.error} />
          <Button
            loading={change.isPending}
            onClick={() =>
              change.mutate({
                params: { path: { ws, id: backfill.id } },
                body: { parallelism: value },
              })
            }
          >
            {t('actions.apply')}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function Confirmed({
  label,
  question,
  isPending,
  onConfirm,
}: {
  readonly label: string;
  readonly question: string;
  readonly isPending: boolean;
  readonly onConfirm: () => void;
}): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <Popover opened={isOpen} onChange={setOpen} withArrow trapFocus>
      <Popover.Target>
        <Button variant="default" loading={isPending} onClick={() => setOpen(!isOpen)}>
          {label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <Text size="sm">{question}</Text>
          <Button
            color="red"
            onClick={() => {
              setOpen(false);
              onConfirm();
            }}
          >
            {label}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
