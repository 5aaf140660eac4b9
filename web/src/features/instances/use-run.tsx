import { Anchor } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

import { $api } from '../../api/client.ts';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspacePath } from '../../app/workspace.tsx';
import { FACETS_PATH, LIST_PATH } from './instances-api.ts';

type NewRun = components['schemas']['NewRun'];

/** Starts a test run; afterwards a notification leads to the timeline of its business date. */
export function useRun({
  ws,
  id,
  bizdate,
  values,
  allowFuture,
  onStarted,
}: {
  readonly ws: string;
  readonly id: string | null;
  readonly bizdate: string;
  readonly values: Readonly<Record<string, string>>;
  readonly allowFuture: boolean;
  readonly onStarted: () => void;
}) {
  const { t } = useTranslation('instances');
  const client = useQueryClient();
  const navigate = useNavigate();
  const pathOf = useWorkspacePath();
  const run = $api.useMutation('post', '/api/v1/workspaces/{ws}/workflows/{id}/runs');
  const body = useMemo(
    () =>
      ({ bizdate, parameters: { ...values }, ...(allowFuture ? { allowFuture } : {}) }) as NewRun,
    [bizdate, values, allowFuture],
  );
  // Sent again because the answer got lost it starts nothing twice; other values are another run.
  const key = useMemo(newIdempotencyKey, [id, body]);
  const showStarted = (): void => {
    const timeline = pathOf(`ops/timeline?bizdate=${bizdate}`);
    notifications.show({
      color: 'teal',
      title: t('run.started', { bizdate }),
      closeButtonProps: { 'aria-label': t('close') },
      message: <TimelineLink path={timeline} onFollow={() => void navigate(timeline)} />,
    });
  };
  const start = async (): Promise<void> => {
    if (id === null) return;
    try {
      await run.mutateAsync({
        params: { path: { ws, id }, header: { 'Idempotency-Key': key } },
        body,
      });
    } catch {
      return; // `run.error` is shown in the form.
    }
    void client.invalidateQueries({
      predicate: ({ queryKey }) => [LIST_PATH, FACETS_PATH].includes(String(queryKey[1])),
    });
    showStarted();
    onStarted();
  };
  return { run, start };
}

// Notifications are shown outside of the router: it cannot be a link of it.
function TimelineLink({
  path,
  onFollow,
}: {
  readonly path: string;
  readonly onFollow: () => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <Anchor
      size="sm"
      href={path}
      underline="always"
      onClick={(event) => {
        event.preventDefault();
        onFollow();
      }}
    >
      {t('run.timeline')}
    </Anchor>
  );
}
