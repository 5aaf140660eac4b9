import { Anchor, Button, Modal } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

import { $api } from '../../api/client.ts';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import { useMay, useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { addDays, dateIn } from '../../ui/time.ts';

const SAMPLE = 'sample';

/** One click: the sample workflow for yesterday. Absent where there is no sample. */
export function RunSample(): ReactNode {
  const { t } = useTranslation('home');
  const { name: ws, timezone } = useWorkspace();
  const mayDevelop = useMay('develop');
  const navigate = useNavigate();
  const pathOf = useWorkspacePath();
  const { data } = $api.useQuery('get', '/api/v1/workspaces/{ws}/workflows', {
    params: { path: { ws }, query: { limit: 200 } },
  });
  const run = $api.useMutation('post', '/api/v1/workspaces/{ws}/workflows/{id}/runs');
  const sample = data?.items.find(({ name }) => name === SAMPLE);
  if (sample === undefined || !mayDevelop) return null;
  const bizdate = addDays(dateIn(new Date(), timezone), -1);
  const timeline = pathOf(`ops/timeline?bizdate=${bizdate}`);
  const start = async (): Promise<void> => {
    try {
      await run.mutateAsync({
        params: {
          path: { ws, id: sample.id },
          header: { 'Idempotency-Key': newIdempotencyKey() },
        },
        body: { bizdate, parameters: {}, allowFuture: false },
      });
    } catch {
      return;
    }
    notifications.show({
      title: t('sample.started', { bizdate }),
      message: (
        <Anchor
          href={timeline}
          size="sm"
          onClick={(event) => {
            event.preventDefault();
            void navigate(timeline);
          }}
        >
          {t('sample.timeline')}
        </Anchor>
      ),
    });
  };
  return (
    <>
      <Button loading={run.isPending} onClick={() => void start()}>
        {t('sample.run')}
      </Button>
      <Modal opened={run.isError} onClose={run.reset} title={t('sample.refused')}>
        <ProblemAlert error={run.error} />
      </Modal>
    </>
  );
}
