import { Alert, Button, Group, List, Loader, Modal, Stack, Text, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { fetchClient } from '../../api/client.ts';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import type { components } from '../../api/schema.gen.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { ChangeFields } from './change-fields.tsx';
import { CodeChoice } from './code-choice.tsx';
import { FACETS_PATH, INSTANCE_PATHS, LIST_PATH } from './instances-api.ts';
import { OperationPreview } from './operation-preview.tsx';
import { type Asked, type Change, type RerunCode, takesCode } from './operations.ts';

type Preview = components['schemas']['Preview'];
type Batch = components['schemas']['Batch'];
/** What is chosen in the window itself; the rest of the request is what it was opened for. */
type Chosen = Change & { readonly code?: RerunCode };

interface OperationModalProps {
  /** What is asked for; the window is open while there is something. */
  readonly asked: Asked | undefined;
  readonly onClose: () => void;
  readonly onDone?: (() => void) | undefined;
}

/** Asks before an operation: what it would do to whom, a comment, and afterwards what was refused. */
export function OperationModal({ asked, onClose, onDone }: OperationModalProps): ReactNode {
  const { t } = useTranslation('instances');
  // The window keeps its content while it closes.
  const last = useRef<Asked>(undefined);
  if (asked !== undefined) last.current = asked;
  const shown = asked ?? last.current;
  return (
    <Modal
      opened={asked !== undefined}
      onClose={onClose}
      // The two versions of a rerun's code stand side by side.
      size={shown !== undefined && takesCode(shown.operation) ? 'xl' : 'lg'}
      title={shown && t(`ask.${shown.operation}`, { count: shown.ids.length })}
    >
      {shown !== undefined && <Question asked={shown} onClose={onClose} onDone={onDone} />}
    </Modal>
  );
}

function Question({
  asked,
  onClose,
  onDone,
}: OperationModalProps & { readonly asked: Asked }): ReactNode {
  const { t } = useTranslation('instances');
  const { operation } = asked;
  const [comment, setComment] = useState('');
  const [change, setChange] = useState<Change>({});
  const [code, setCode] = useState<RerunCode>('latest');
  const isAsked = operation !== 'change' || Object.keys(change).length > 0;
  const chosen = useMemo(
    (): Chosen => ({ ...change, ...(code === 'latest' ? {} : { code }) }),
    [change, code],
  );
  const preview = usePreview(asked, chosen, isAsked);
  const operate = useOperate(asked, chosen, comment, (batch) => {
    if (batch.ok > 0) {
      notifications.show({
        color: 'teal',
        message: t(`done.${operation}`, { count: batch.ok + (batch.along ?? 0) }),
        closeButtonProps: { 'aria-label': t('close') },
      });
      onDone?.();
    }
    if (batch.refused === 0) onClose();
  });
  const will = preview.data?.totals.will ?? 0;
  const along = preview.data?.totals.downstream['runs again'] ?? 0;
  const changedCode = preview.data?.totals.changedCode ?? 0;
  const isReady = isAsked && will > 0 && !preview.isPlaceholderData;
  const confirm = useFocusOnce(isReady);
  if (operate.data !== undefined && operate.data.refused > 0)
    return <Refusals batch={operate.data} preview={preview.data} onClose={onClose} />;
  return (
    <Stack gap="sm">
      {operation === 'change' && <ChangeFields value={change} onChange={setChange} />}
      {takesCode(operation) && changedCode > 0 && (
        <CodeChoice ids={asked.ids} changed={changedCode} value={code} onChange={setCode} />
      )}
      {isAsked && preview.isPending && <Loader size="sm" aria-label={t('preview.loading')} />}
      <ProblemAlert error={preview.error} onRetry={() => void preview.refetch()} />
      {preview.data !== undefined && (
        <OperationPreview operation={operation} preview={preview.data} />
      )}
      <Textarea
        label={t('comment')}
        description={t('commentHint')}
        value={comment}
        maxLength={1000}
        autosize
        minRows={1}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <ProblemAlert error={operate.error} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button
          ref={confirm}
          data-autofocus
          data-testid="confirm-operation"
          color={operation === 'stop' ? 'red.9' : 'blue.8'}
          disabled={!isReady}
          loading={operate.isPending}
          onClick={() => operate.mutate()}
        >
          {t(`confirm.${operation}`, { count: will + along })}
        </Button>
      </Group>
    </Stack>
  );
}

/** One click and Enter do it: the button takes the focus when there is something to confirm at first. */
function useFocusOnce(isReady: boolean) {
  const button = useRef<HTMLButtonElement>(null);
  const hasHad = useRef(false);
  useEffect(() => {
    if (!isReady || hasHad.current) return;
    hasHad.current = true;
    button.current?.focus();
  }, [isReady]);
  return button;
}

function usePreview({ operation, ids, upstream }: Asked, chosen: Chosen, isAsked: boolean) {
  const { name: ws } = useWorkspace();
  return useQuery({
    queryKey: ['post', `${LIST_PATH}/preview`, operation, ids, upstream, chosen],
    enabled: isAsked,
    // A choice stays where it is, and in the focus, while what it would do is asked for again.
    placeholderData: keepPreviousData,
    // What it says is true now and maybe not in a moment.
    gcTime: 0,
    staleTime: 0,
    queryFn: async ({ signal }): Promise<Preview> => {
      const { data } = await fetchClient.POST('/api/v1/workspaces/{ws}/instances/preview', {
        params: { path: { ws } },
        body: { action: operation, ids: [...ids], ...upstreamOf(upstream), ...chosen },
        signal,
      });
      return data as Preview;
    },
  });
}

function upstreamOf(upstream: readonly string[] | undefined): { upstream?: string[] } {
  return upstream === undefined ? {} : { upstream: [...upstream] };
}

function useOperate(
  { operation, ids, upstream }: Asked,
  chosen: Chosen,
  comment: string,
  onBatch: (batch: Batch) => void,
) {
  const { name: ws } = useWorkspace();
  const client = useQueryClient();
  const body = useMemo(
    () => ({
      action: operation,
      ids: [...ids],
      ...upstreamOf(upstream),
      ...chosen,
      ...(comment.trim() === '' ? {} : { comment: comment.trim() }),
    }),
    [operation, ids, upstream, chosen, comment],
  );
  // A request that is sent again because its answer got lost is done once; another text is another one.
  const key = useMemo(newIdempotencyKey, [body]);
  return useMutation({
    mutationFn: async (): Promise<Batch> => {
      const { data } = await fetchClient.POST('/api/v1/workspaces/{ws}/instances/batch', {
        params: { path: { ws }, header: { 'Idempotency-Key': key } },
        body,
      });
      return data as Batch;
    },
    onSuccess: (batch) => {
      const paths: readonly string[] = [...INSTANCE_PATHS, LIST_PATH, FACETS_PATH];
      void client.invalidateQueries({
        predicate: ({ queryKey }) => paths.includes(String(queryKey[1])),
      });
      onBatch(batch);
    },
  });
}

function Refusals({
  batch,
  preview,
  onClose,
}: {
  readonly batch: Batch;
  readonly preview: Preview | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  const nodes = new Map(preview?.items.map(({ id, node }) => [id, node]));
  return (
    <Stack gap="sm">
      <Alert
        role="alert"
        color="red"
        variant="outline"
        title={t('refused', { count: batch.refused })}
      >
        <List size="sm" mah={320} style={{ overflowY: 'auto' }} tabIndex={0}>
          {batch.items.map((item) =>
            item.ok ? null : (
              <List.Item key={item.id}>
                <b>{nodes.get(item.id) ?? item.id}</b>: {item.problem.detail}{' '}
                <Text span size="xs" c="var(--mr-text-dim)">
                  {item.problem.code}
                </Text>
              </List.Item>
            ),
          )}
        </List>
      </Alert>
      <Group justify="flex-end">
        <Button data-autofocus color="blue.8" onClick={onClose}>
          {t('close')}
        </Button>
      </Group>
    </Stack>
  );
}
