import { Button, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

import { $api } from '../../api/client.ts';
import { useWorkspace, useWorkspacePath } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import codeClasses from '../data-sources/text-fields.module.css';
import { draftText, parseDraft } from './draft.ts';

/** One node that does nothing: valid as it is, and the place to go on from. */
const FIRST_DRAFT = { schedule: { cron: '0 0 * * *' }, nodes: [{ id: 'start', type: 'virtual' }] };
const CLASSES = { input: codeClasses['code'] ?? '' };

/** Asks for a name and the first draft, and opens what was made. */
export function NewWorkflow({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useTranslation('workflows');
  const { name: ws } = useWorkspace();
  const navigate = useNavigate();
  const pathOf = useWorkspacePath();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [text, setText] = useState(draftText(FIRST_DRAFT));
  const create = $api.useMutation('post', '/api/v1/workspaces/{ws}/workflows');
  const parsed = parseDraft(text);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!parsed.ok) return;
    const made = await create
      .mutateAsync({
        params: { path: { ws } },
        body: { name, description, draft: parsed.draft },
      })
      .catch(() => undefined);
    if (made !== undefined) void navigate(pathOf(`studio/wf/${made.id}`));
  };
  return (
    <Modal opened onClose={onClose} title={t('new.title')} size="lg">
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <TextInput
            label={t('new.name')}
            description={t('new.nameRule')}
            value={name}
            required
            maxLength={128}
            data-autofocus
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextInput
            label={t('new.description')}
            value={description}
            maxLength={1000}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
          <Textarea
            label={t('new.draft')}
            description={t('new.draftHelp')}
            classNames={CLASSES}
            value={text}
            autosize
            minRows={6}
            maxRows={18}
            spellCheck={false}
            error={parsed.ok ? undefined : t(`json.${parsed.reason}`, { detail: parsed.detail })}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <ProblemAlert error={create.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button type="submit" disabled={name === '' || !parsed.ok} loading={create.isPending}>
              {t('new.create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
