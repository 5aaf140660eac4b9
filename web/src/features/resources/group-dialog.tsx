import { Button, Group, Modal, NumberInput, Stack, TagsInput, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import {
  changeOf,
  fieldsOf,
  formOf,
  type GroupForm,
  NEW_GROUP,
  wrongQuota,
} from './group-fields.ts';
import { GROUPS, refreshResources, type ResourceGroup } from './resources-api.ts';

/** The form of a new resource group or a stored one. */
export function GroupDialog({
  group,
  onClose,
}: {
  readonly group: ResourceGroup | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('resources');
  // As it was opened: the list under it is loaded again all the time.
  const [base] = useState(group);
  const [form, setForm] = useState(base === undefined ? NEW_GROUP : formOf(base));
  // Also of one that was made a moment ago and whose quotas were refused.
  const [storedId, setStoredId] = useState(base?.id);
  const create = $api.useMutation('post', GROUPS);
  const patch = $api.useMutation('patch', `${GROUPS}/{id}`);
  const change = (part: Partial<typeof form>): void => setForm({ ...form, ...part });
  const createGroup = async (): Promise<string | undefined> => {
    const body = { name: form.name.trim(), ...fieldsOf(form) };
    const created = await create.mutateAsync({ body }).catch(() => undefined);
    setStoredId(created?.id);
    return created?.id;
  };
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const id = storedId ?? (await createGroup());
    if (id === undefined) return;
    // Quotas are of a group that is there.
    const saved =
      storedId === undefined && form.quotas.length === 0
        ? true
        : await patch
            .mutateAsync({ params: { path: { id } }, body: changeOf(form, base?.quotas ?? {}) })
            .catch(() => undefined);
    await refreshResources();
    if (saved === undefined) return;
    notifications.show({
      message: t('saved', { name: form.name.trim() }),
      closeButtonProps: { 'aria-label': t('app:close') },
    });
    onClose();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={base === undefined ? t('groups.new') : t('groups.edit', { name: base.name })}
      closeOnClickOutside={false}
    >
      <form onSubmit={(event) => void save(event)}>
        <Stack>
          <GroupFields form={form} base={base} onChange={change} />
          <ProblemAlert error={create.error ?? patch.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('app:cancel')}
            </Button>
            <Button
              type="submit"
              disabled={wrongQuota(form) !== undefined}
              loading={create.isPending || patch.isPending}
            >
              {t('save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function GroupFields({
  form,
  base,
  onChange,
}: {
  readonly form: GroupForm;
  readonly base: ResourceGroup | undefined;
  readonly onChange: (part: Partial<GroupForm>) => void;
}): ReactNode {
  const { t } = useTranslation('resources');
  const wrong = wrongQuota(form);
  return (
    <>
      <TextInput
        label={t('name')}
        value={form.name}
        required
        disabled={base !== undefined}
        maxLength={63}
        onChange={(event) => onChange({ name: event.currentTarget.value })}
      />
      <TextInput
        label={t('groups.description')}
        value={form.description}
        maxLength={500}
        onChange={(event) => onChange({ description: event.currentTarget.value })}
      />
      <Count
        label={t('groups.slots')}
        description={t('groups.slotsHelp')}
        value={form.slots}
        required
        onChange={(slots) => onChange({ slots })}
      />
      <Count
        label={t('groups.backfillShare')}
        description={t('groups.shareHelp')}
        value={form.backfillShare}
        min={1}
        max={100}
        required
        onChange={(backfillShare) => onChange({ backfillShare })}
      />
      <Count
        label={t('groups.schedulingSlots')}
        description={t('groups.schedulingHelp')}
        value={form.schedulingSlots}
        required={base !== undefined && base.schedulingSlots !== null}
        onChange={(schedulingSlots) => onChange({ schedulingSlots })}
      />
      <TagsInput
        label={t('groups.quotas')}
        description={t('groups.quotasHelp')}
        value={[...form.quotas]}
        placeholder="sync=8"
        error={wrong === undefined ? undefined : t('groups.wrongQuota', { quota: wrong })}
        onChange={(quotas) => onChange({ quotas })}
      />
    </>
  );
}

function Count({
  min = 0,
  max = 100_000,
  ...field
}: {
  readonly label: string;
  readonly description: string;
  readonly value: number | string;
  readonly required: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly onChange: (value: number | string) => void;
}): ReactNode {
  return <NumberInput {...field} min={min} max={max} allowDecimal={false} clampBehavior="strict" />;
}
