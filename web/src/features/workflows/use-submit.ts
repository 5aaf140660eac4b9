import { notifications } from '@mantine/notifications';
import { useTranslation } from 'react-i18next';

import { $api, fetchClient, queryClient } from '../../api/client.ts';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import type { SubmitOrder } from './submit-dialog.tsx';

const WORKFLOWS = '/api/v1/workspaces/{ws}/workflows';

/** The tab with the edges lists them all. */
const MAX_FINDINGS = 3;

/** Makes a version of the saved draft, and says what is odd about its edges. What the server refuses is in `error`, field by field. */
export function useSubmit(): {
  readonly isPending: boolean;
  readonly error: unknown;
  readonly start: (workflowId: string, order: SubmitOrder) => Promise<void>;
} {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const mutation = $api.useMutation('post', `${WORKFLOWS}/{id}/submit`);
  const start = async (id: string, order: SubmitOrder): Promise<void> => {
    const submitted = await mutation
      .mutateAsync({
        params: { path: { ws, id }, header: { 'Idempotency-Key': newIdempotencyKey() } },
        body: order,
      })
      .catch(() => undefined);
    if (submitted === undefined) return;
    notifications.show({
      title: t('submit.done', { version: submitted.version }),
      message: t('submit.first', { bizdate: submitted.firstBizdate }),
    });
    await queryClient.invalidateQueries({
      predicate: ({ queryKey }) => String(queryKey[1]).startsWith(WORKFLOWS),
    });
    const { version, firstBizdate: bizdate } = submitted;
    // It is submitted all the same: what cannot be previewed now is no problem of the submit.
    const preview = await fetchClient
      .POST(`${WORKFLOWS}/{id}/preview-edges`, {
        params: { path: { ws, id } },
        body: { version, bizdate },
      })
      .catch(() => undefined);
    const findings = preview?.data?.findings ?? [];
    if (findings.length === 0) return;
    notifications.show({
      color: 'yellow',
      autoClose: false,
      title: t('submit.findings', { count: findings.length }),
      message: findings
        .slice(0, MAX_FINDINGS)
        .map(({ detail }) => detail)
        .join(' '),
    });
  };
  return { isPending: mutation.isPending, error: mutation.error, start };
}
