import { Button, Checkbox, Group, Loader, Modal, Stack, Text, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useMayOperate, useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { FACETS_PATH, INSTANCE_PATHS, type InstanceDetail, LIST_PATH } from './instances-api.ts';

const NODES = '/api/v1/workspaces/{ws}/workflows/{id}/nodes';

type Named = Pick<InstanceDetail, 'workflow' | 'node'>;

/** Freezes or unfreezes the node of an instance: what is planned of it from then on. */
export function NodeFreeze({ instance }: { readonly instance: Named }): ReactNode {
  const { t } = useTranslation('instances');
  const mayOperate = useMayOperate();
  const [isOpen, setOpen] = useState(false);
  if (!mayOperate) return null;
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setOpen(true)}>
        {t('node.open')}
      </Button>
      <Modal
        opened={isOpen}
        onClose={() => setOpen(false)}
        title={t('node.title', { node: instance.node.name })}
      >
        <Form instance={instance} onClose={() => setOpen(false)} />
      </Modal>
    </>
  );
}

function Form({
  instance: { workflow, node },
  onClose,
}: {
  readonly instance: Named;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  const { name: ws } = useWorkspace();
  const [instances, setInstances] = useState(false);
  const [comment, setComment] = useState('');
  const path = { ws, id: workflow.id };
  const nodes = $api.useQuery('get', NODES, { params: { path } }, { staleTime: 0 });
  const found = nodes.data?.items.find(({ name }) => name === node.name);
  const isFrozen = found?.frozen === true;
  const change = useFreeze(isFrozen, onClose);
  return (
    <Stack gap="sm">
      {nodes.isPending && <Loader size="sm" aria-label={t('loading')} />}
      <ProblemAlert error={nodes.error} onRetry={() => void nodes.refetch()} />
      <Text size="sm">{t(isFrozen ? 'node.isFrozen' : 'node.isNotFrozen')}</Text>
      {found?.scheduleType === 'frozen' && <Text size="sm">{t('node.byWorkflow')}</Text>}
      <Checkbox
        label={t('node.instances')}
        checked={instances}
        onChange={(event) => setInstances(event.currentTarget.checked)}
      />
      <Textarea
        label={t('comment')}
        description={t('commentHint')}
        value={comment}
        maxLength={1000}
        autosize
        minRows={1}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <ProblemAlert error={change.error} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button
          color="blue.8"
          disabled={found === undefined}
          loading={change.isPending}
          onClick={() =>
            change.mutate({
              params: { path: { ...path, node: node.name } },
              body: { instances, ...(comment.trim() === '' ? {} : { comment: comment.trim() }) },
            })
          }
        >
          {t(isFrozen ? 'node.unfreeze' : 'node.freeze')}
        </Button>
      </Group>
    </Stack>
  );
}

function useFreeze(isFrozen: boolean, onDone: () => void) {
  const { t } = useTranslation('instances');
  const client = useQueryClient();
  const onSuccess = (done: { readonly frozen: boolean; readonly instances: number }): void => {
    const paths: readonly string[] = [...INSTANCE_PATHS, LIST_PATH, FACETS_PATH, NODES];
    void client.invalidateQueries({
      predicate: ({ queryKey }) => paths.includes(String(queryKey[1])),
    });
    notifications.show({
      color: 'teal',
      message: t(done.frozen ? 'node.frozen' : 'node.unfrozen', { count: done.instances }),
      closeButtonProps: { 'aria-label': t('close') },
    });
    onDone();
  };
  const freeze = $api.useMutation('post', `${NODES}/{node}/freeze`, { onSuccess });
  const unfreeze = $api.useMutation('post', `${NODES}/{node}/unfreeze`, { onSuccess });
  return isFrozen ? unfreeze : freeze;
}
