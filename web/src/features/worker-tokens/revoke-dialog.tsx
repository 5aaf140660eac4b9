import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { refreshTokens, TOKENS, type WorkerToken } from './worker-tokens-api.ts';

/** Asks before the workers of a token are refused. */
export function RevokeDialog({
  token: { id, name, resourceGroup },
  onClose,
}: {
  readonly token: WorkerToken;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useTranslation('worker-tokens');
  const revoke = $api.useMutation('delete', `${TOKENS}/{id}`, {
    onSuccess: onClose,
    onSettled: refreshTokens,
  });
  return (
    <Modal opened onClose={onClose} title={t('revoke.title', { name })}>
      <Stack>
        <Text size="sm">{t('revoke.text', { group: resourceGroup })}</Text>
        <ProblemAlert error={revoke.error} />
        <Group justify="flex-end">
          <Button variant="default" data-autofocus onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button
            color="red.9"
            loading={revoke.isPending}
            onClick={() => revoke.mutate({ params: { path: { id } } })}
          >
            {t('revoke.button')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
