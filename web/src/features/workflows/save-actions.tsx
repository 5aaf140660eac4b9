import { Badge, Button, Modal, Switch } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api, queryClient } from '../../api/client.ts';
import { useMay, useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { formatTime } from '../../ui/time.ts';
import { useZone } from '../../ui/zone.ts';
import { SubmitDialog } from './submit-dialog.tsx';
import type { DraftState, Workflow } from './use-draft.ts';
import type { useSubmit } from './use-submit.ts';

const WORKFLOWS = '/api/v1/workspaces/{ws}/workflows';

/** Saves the draft, submits it, and says which of the two was the last. */
export function SaveActions({
  workflow,
  state,
  isBroken,
  submit,
  lastSubmittedAt,
}: {
  readonly workflow: Workflow;
  readonly state: DraftState;
  /** What stands in the JSON view cannot be read: saving would save something else. */
  readonly isBroken: boolean;
  readonly submit: ReturnType<typeof useSubmit>;
  readonly lastSubmittedAt: string | undefined;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const mayDevelop = useMay('develop');
  const mayDeploy = useMay('deploy');
  const [isAsking, setAsking] = useState(false);
  const isSubmitted =
    lastSubmittedAt !== undefined && Date.parse(lastSubmittedAt) >= Date.parse(workflow.updatedAt);
  const isDirty = state.isDirty || isBroken;
  return (
    <>
      <StateChip workflow={workflow} isDirty={isDirty} isSubmitted={isSubmitted} />
      {mayDevelop && <ScheduledSwitch workflow={workflow} isDisabled={isDirty} />}
      {mayDevelop && (
        <Button
          variant="default"
          disabled={!state.isDirty || isBroken || state.isConflict}
          loading={state.isSaving}
          onClick={() => void state.save()}
        >
          {t('save.save')}
        </Button>
      )}
      {mayDeploy && (
        <Button
          disabled={isBroken || state.isConflict || (state.isDirty && !mayDevelop)}
          loading={submit.isPending}
          onClick={() => setAsking(true)}
        >
          {t(state.isDirty ? 'save.saveAndSubmit' : 'save.submit')}
        </Button>
      )}
      {isAsking && (
        <SubmitDialog
          workflow={workflow}
          draft={state.draft}
          onClose={() => setAsking(false)}
          onSubmit={async (order) => {
            setAsking(false);
            if (await state.save()) await submit.start(workflow.id, order);
          }}
        />
      )}
    </>
  );
}

function StateChip({
  workflow,
  isDirty,
  isSubmitted,
}: {
  readonly workflow: Workflow;
  readonly isDirty: boolean;
  readonly isSubmitted: boolean;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const zone = useZone();
  const state = isDirty ? 'unsaved' : isSubmitted ? 'submitted' : 'saved';
  return (
    <Badge
      variant="outline"
      color={isDirty ? 'yellow' : 'gray'}
      c="var(--mr-text)"
      tt="none"
      size="lg"
      role="status"
      data-testid="draft-state"
      data-state={state}
    >
      {isDirty ? '● ' : '✓ '}
      {t(`chip.${state}`, {
        time: formatTime(workflow.updatedAt, zone).slice(0, 5),
        version: workflow.latestVersion,
      })}
    </Badge>
  );
}

function ScheduledSwitch({
  workflow,
  isDisabled,
}: {
  readonly workflow: Workflow;
  readonly isDisabled: boolean;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const patch = $api.useMutation('patch', `${WORKFLOWS}/{id}`, {
    onSettled: () =>
      void queryClient.invalidateQueries({
        predicate: ({ queryKey }) => String(queryKey[1]).startsWith(WORKFLOWS),
      }),
  });
  return (
    <>
      <Switch
        label={t('save.scheduled')}
        checked={workflow.scheduled}
        disabled={isDisabled || patch.isPending}
        onChange={(event) =>
          patch.mutate({
            params: {
              path: { ws, id: workflow.id },
              header: { 'If-Match': `"${workflow.revision}"` },
            },
            body: { scheduled: event.currentTarget.checked },
          })
        }
      />
      <Modal opened={patch.isError} onClose={patch.reset} title={t('save.refused')}>
        <ProblemAlert error={patch.error} />
      </Modal>
    </>
  );
}
