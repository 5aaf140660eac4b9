import { Button, Group, Modal, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api, queryClient } from '../../api/client.ts';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import type { components } from '../../api/schema.gen.ts';
import { useMay, useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { PlanDifferences } from './plan-differences.tsx';
import type { Workflow } from './use-draft.ts';

type Preview = components['schemas']['PlanPatchPreview'];

const WORKFLOW = '/api/v1/workspaces/{ws}/workflows/{id}';

function usePatch(workflowId: string): {
  readonly shown: Preview | undefined;
  readonly previewError: unknown;
  readonly isLooking: boolean;
  readonly patchError: unknown;
  readonly isPatching: boolean;
  readonly show: () => void;
  readonly hide: () => void;
  readonly apply: (preview: Preview) => Promise<void>;
} {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const path = { ws, id: workflowId };
  const [key, setKey] = useState(newIdempotencyKey);
  const preview = $api.useMutation('post', `${WORKFLOW}/preview-plan`);
  const patch = $api.useMutation('post', `${WORKFLOW}/patch-plan`);
  const apply = async ({ planToken, bizdate }: Preview): Promise<void> => {
    const header = { 'Idempotency-Key': key };
    const patched = await patch
      .mutateAsync({ params: { path, header }, body: { planToken } })
      .catch(() => undefined);
    setKey(newIdempotencyKey());
    if (patched === undefined) return;
    notifications.show({
      message: t('patch.done', { bizdate }),
      closeButtonProps: { 'aria-label': t('app:close') },
    });
    preview.reset();
    await queryClient.invalidateQueries({
      predicate: ({ queryKey }) => String(queryKey[1]).startsWith(WORKFLOW),
    });
  };
  return {
    shown: preview.data,
    previewError: preview.error,
    isLooking: preview.isPending,
    patchError: patch.error,
    isPatching: patch.isPending,
    show: () => {
      patch.reset();
      preview.mutate({ params: { path } });
    },
    hide: preview.reset,
    apply,
  };
}

/** What the latest version would change of the plan that was made without it; only then it can be patched in. */
export function PlanPatch({ workflow }: { readonly workflow: Workflow }): ReactNode {
  const { t } = useTranslation('workflows');
  const mayDeploy = useMay('deploy');
  const mayPreview = useMay('previewDeploy');
  const patching = usePatch(workflow.id);
  const { shown, show, hide } = patching;
  if (!mayPreview || workflow.latestVersion === null) return null;
  return (
    <Stack align="flex-start">
      <Button variant="default" loading={patching.isLooking} onClick={show}>
        {t('patch.show')}
      </Button>
      <ProblemAlert error={patching.previewError} />
      {shown !== undefined && (
        <Modal
          opened
          onClose={hide}
          size="lg"
          title={t('patch.title', { bizdate: shown.bizdate, version: shown.version })}
        >
          <Stack>
            <div role="status">
              <PlanDifferences workflow={workflow} patch={shown} onLeave={hide} />
            </div>
            <ProblemAlert error={patching.patchError} onRetry={show} />
            <Group justify="flex-end">
              <Button variant="default" onClick={hide}>
                {t('cancel')}
              </Button>
              {mayDeploy && (
                <Button loading={patching.isPatching} onClick={() => void patching.apply(shown)}>
                  {t('patch.apply')}
                </Button>
              )}
            </Group>
          </Stack>
        </Modal>
      )}
    </Stack>
  );
}
