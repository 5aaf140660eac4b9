import { notifications } from '@mantine/notifications';
import { useTranslation } from 'react-i18next';

import { $api, queryClient } from '../../api/client.ts';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import { useWorkspace } from '../../app/workspace.tsx';

const WORKFLOWS = '/api/v1/workspaces/{ws}/workflows';

/** Makes a version of the saved draft. What the server refuses is in `error`, field by field. */
export function useSubmit(): {
  readonly isPending: boolean;
  readonly error: unknown;
  readonly start: (workflowId: string, comment: string) => Promise<void>;
} {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const mutation = $api.useMutation('post', `${WORKFLOWS}/{id}/submit`);
  const start = async (id: string, comment: string): Promise<void> => {
    const submitted = await mutation
      .mutateAsync({
        params: { path: { ws, id }, header: { 'Idempotency-Key': newIdempotencyKey() } },
        body: { comment },
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
  };
  return { isPending: mutation.isPending, error: mutation.error, start };
}
