import { Button, Group, Modal, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { ProblemAlert } from '../../ui/problem-alert.tsx';

/** The last test of this connection failed: it is saved only when somebody says so. */
export function SaveAllTheSame({
  error,
  onConfirm,
  onClose,
}: {
  readonly error: unknown;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  return (
    <Modal opened onClose={onClose} title={t('confirm.title')}>
      <Text size="sm" mb="sm">
        {t('confirm.text')}
      </Text>
      <ProblemAlert error={error} />
      <Group justify="flex-end" mt="md">
        <Button data-autofocus onClick={onClose}>
          {t('confirm.back')}
        </Button>
        <Button variant="default" onClick={onConfirm}>
          {t('confirm.save')}
        </Button>
      </Group>
    </Modal>
  );
}
