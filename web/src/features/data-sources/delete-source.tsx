import { Button, Group, Modal, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { type DataSource, refreshSources, SOURCE } from './data-source-api.ts';

/** Deletes a data source after asking. While workflows use it, the server refuses and names them. */
export function DeleteSource({
  source,
  onDeleted,
}: {
  readonly source: DataSource;
  readonly onDeleted: () => void;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const { name: ws } = useWorkspace();
  const [isAsking, setAsking] = useState(false);
  const remove = $api.useMutation('delete', SOURCE);
  const close = (): void => {
    setAsking(false);
    remove.reset();
  };
  const confirm = async (): Promise<void> => {
    const header = { 'If-Match': `"${source.revision}"` };
    const isGone = await remove
      .mutateAsync({ params: { path: { ws, id: source.id }, header } })
      .then(
        () => true,
        () => false,
      );
    if (!isGone) return;
    onDeleted();
    await refreshSources();
  };
  return (
    <>
      <Button variant="default" onClick={() => setAsking(true)}>
        {t('delete.open')}
      </Button>
      <Modal opened={isAsking} onClose={close} title={t('delete.title', { name: source.name })}>
        <Text size="sm" mb="sm">
          {t('delete.text')}
        </Text>
        <ProblemAlert error={remove.error} />
        <Group justify="flex-end" mt="md">
          <Button variant="default" data-autofocus onClick={close}>
            {t('cancel')}
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => void confirm()}>
            {t('delete.confirm')}
          </Button>
        </Group>
      </Modal>
    </>
  );
}
