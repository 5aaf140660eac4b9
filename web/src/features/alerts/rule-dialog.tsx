import { Button, Group, Modal, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { type AlertRule, refreshAlerts, RULE, RULES } from './alerts-api.ts';
import { ChannelFields } from './channel-fields.tsx';
import { ConditionFields } from './condition-fields.tsx';
import { draftOf, fieldsOf, NEW_RULE, newWebhookOf, webhookChangeOf } from './rule-draft.ts';

/** The form of a new rule or a stored one. */
export function RuleDialog({
  rule,
  onClose,
}: {
  readonly rule: AlertRule | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('alerts');
  const { name: ws } = useWorkspace();
  // As it was opened: a change of somebody else is refused when this one is saved.
  const [base] = useState(rule);
  const [draft, setDraft] = useState(base === undefined ? NEW_RULE : draftOf(base));
  const create = $api.useMutation('post', RULES);
  const patch = $api.useMutation('patch', RULE);
  const remove = $api.useMutation('delete', RULE);
  const header = { 'If-Match': `"${base?.revision ?? 0}"` };
  const path = { ws, id: base?.id ?? '' };
  const end = async (message: string): Promise<void> => {
    await refreshAlerts();
    notifications.show({ message, closeButtonProps: { 'aria-label': t('app:close') } });
    onClose();
  };
  const save = async (): Promise<void> => {
    const fields = fieldsOf(draft);
    const saving =
      base === undefined
        ? create.mutateAsync({
            params: { path: { ws } },
            body: { ...fields, webhook: newWebhookOf(draft) },
          })
        : patch.mutateAsync({
            params: { path, header },
            body: { ...fields, webhook: webhookChangeOf(draft) },
          });
    const saved = await saving.catch(() => undefined);
    if (saved !== undefined) await end(t('form.saved', { name: saved.name }));
  };
  const drop = async (): Promise<void> => {
    const isGone = await remove.mutateAsync({ params: { path, header } }).then(
      () => true,
      () => false,
    );
    if (isGone) await end(t('form.removed', { name: base?.name ?? '' }));
  };
  const refused = create.error ?? patch.error ?? remove.error;
  const fields = {
    draft,
    error: refused,
    onChange: (change: Partial<typeof draft>): void => setDraft({ ...draft, ...change }),
  };
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={base === undefined ? t('form.new') : t('form.edit', { name: base.name })}
      // A click beside the window must not drop a form that is half filled in.
      closeOnClickOutside={false}
    >
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          void save();
        }}
      >
        <Stack>
          <ConditionFields {...fields} />
          <ChannelFields {...fields} origin={base?.webhook?.origin} />
          <ProblemAlert error={refused} />
          <Group justify="flex-end">
            {base !== undefined && (
              <Button
                color="red"
                variant="outline"
                mr="auto"
                loading={remove.isPending}
                onClick={() => void drop()}
              >
                {t('form.remove')}
              </Button>
            )}
            <Button variant="default" onClick={onClose}>
              {t('form.cancel')}
            </Button>
            <Button type="submit" loading={create.isPending || patch.isPending}>
              {t('form.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
