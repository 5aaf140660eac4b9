import { Alert, Button, Checkbox, Code, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { fetchClient } from '../../api/client.ts';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import {
  asciiOf,
  type CellDraft,
  cellOf,
  DIRTY_RECORDS,
  type DirtyRecord,
  draftsOf,
  isCell,
} from './dirty-record.ts';

/** The cells of a row that was refused, to be mended; and to be replayed at once where that is wanted. */
export function DirtyRecordDialog({
  instanceId,
  record,
  onClose,
  onReplay,
}: {
  readonly instanceId: string;
  readonly record: DirtyRecord;
  readonly onClose: () => void;
  readonly onReplay: () => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  const { epoch, no, columns, columnName, reason, stage, original } = record;
  const [kept] = useState(() => draftsOf(record));
  const [drafts, setDrafts] = useState(kept);
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () =>
      fetchClient.PATCH(`${DIRTY_RECORDS}/{epoch}/{no}`, {
        params: { path: { id: instanceId, epoch: String(epoch), no: String(no) } },
        body: { cells: drafts.map(cellOf) },
      }),
    onSuccess: () =>
      client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === DIRTY_RECORDS }),
  });
  const saveAnd = (then: () => void): void =>
    save.mutate(undefined, {
      onSuccess: () => {
        onClose();
        then();
      },
    });
  const isWhole = drafts.every(isCell);
  return (
    <Modal opened onClose={onClose} size="lg" title={t('dirty.edit.title', { no })}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          saveAnd(() => {});
        }}
      >
        <Stack gap="sm">
          <Alert color="red" variant="outline">
            {columnName === null ? '' : `${columnName}: `}
            {reason}
          </Alert>
          <Text size="sm">{t(`dirty.edit.${stage}`)}</Text>
          {original !== null && (
            <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
              {original.place}: {asciiOf(original.base64)}
            </Code>
          )}
          {drafts.map((draft, at) => (
            <CellField
              // Cells have no other name than their place, and never change it.
              key={columns?.[at] ?? at}
              name={columns?.[at] ?? String(at + 1)}
              draft={draft}
              isRefused={columnName !== null && columns?.[at] === columnName && draft === kept[at]}
              onChange={(next) => setDrafts(drafts.map((each, i) => (i === at ? next : each)))}
            />
          ))}
          <ProblemAlert error={save.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button
              variant="default"
              disabled={!isWhole || save.isPending}
              onClick={() => saveAnd(onReplay)}
            >
              {t('dirty.edit.saveAndReplay')}
            </Button>
            <Button type="submit" disabled={!isWhole} loading={save.isPending}>
              {t('dirty.edit.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function CellField({
  name,
  draft,
  isRefused,
  onChange,
}: {
  readonly name: string;
  readonly draft: CellDraft;
  readonly isRefused: boolean;
  readonly onChange: (draft: CellDraft) => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  const { kind, isNull, value } = draft;
  return (
    <Group align="flex-end" wrap="nowrap" gap="sm">
      <Textarea
        flex={1}
        label={name}
        {...(kind === 'text' ? {} : { description: t(`dirty.edit.kind.${kind}`) })}
        error={isCell(draft) ? isRefused : t('dirty.edit.noBase64')}
        autosize
        maxRows={8}
        disabled={isNull}
        value={isNull ? '' : value}
        onChange={(event) => onChange({ ...draft, value: event.currentTarget.value })}
      />
      <Checkbox
        mb={8}
        label="NULL"
        aria-label={t('dirty.edit.isNull', { name })}
        checked={isNull}
        onChange={(event) => onChange({ ...draft, isNull: event.currentTarget.checked })}
      />
    </Group>
  );
}
