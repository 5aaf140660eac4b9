import { Button, Checkbox, Group, Modal, Select, Stack, Textarea } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { components } from '../../api/schema.gen.ts';
import type { Draft } from './draft.ts';
import { SubmitPreview } from './submit-preview.tsx';
import type { Workflow } from './use-draft.ts';

export type SubmitOrder = Required<components['schemas']['Submit']>;

const PLANS = ['next-day', 'third-day', 'immediately'] as const;

/** Asks what has changed and from when on it is planned, and shows what that would do. */
export function SubmitDialog({
  workflow,
  draft,
  onClose,
  onSubmit,
}: {
  readonly workflow: Workflow;
  /** As it is edited now: it is saved before it is submitted. */
  readonly draft: Draft;
  readonly onClose: () => void;
  readonly onSubmit: (order: SubmitOrder) => Promise<void>;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const [comment, setComment] = useState('');
  const [plan, setPlan] = useState<SubmitOrder['plan']>('next-day');
  const [isIsolatedAllowed, setIsolatedAllowed] = useState(false);
  const isImmediate = plan === 'immediately';
  return (
    <Modal opened onClose={onClose} size="lg" title={t('submit.title')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void onSubmit({ comment, plan, allowIsolated: isImmediate && isIsolatedAllowed });
        }}
      >
        <Stack>
          <Textarea
            label={t('submit.comment')}
            description={t('submit.help')}
            value={comment}
            maxLength={1000}
            autosize
            minRows={2}
            data-autofocus
            onChange={(event) => setComment(event.currentTarget.value)}
          />
          <Select
            label={t('submit.plan')}
            description={t(`submit.planHelp.${plan}`)}
            data={PLANS.map((value) => ({ value, label: t(`submit.plans.${value}`) }))}
            value={plan}
            allowDeselect={false}
            onChange={(value) => {
              const chosen = PLANS.find((each) => each === value);
              if (chosen !== undefined) setPlan(chosen);
            }}
          />
          {isImmediate && (
            <Checkbox
              label={t('submit.allowIsolated')}
              checked={isIsolatedAllowed}
              onChange={(event) => setIsolatedAllowed(event.currentTarget.checked)}
            />
          )}
          <SubmitPreview {...{ workflow, draft, plan, isIsolatedAllowed }} onLeave={onClose} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button type="submit">{t('save.submit')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
