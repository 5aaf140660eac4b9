import { Button, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { useWorkspace } from '../../app/workspace.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';

/** Sends a test message and shows what the receivers said. */
export function TestRule({ id }: { readonly id: string }): ReactNode {
  const { t } = useTranslation('alerts');
  const { name: ws } = useWorkspace();
  const test = $api.useMutation('post', '/api/v1/workspaces/{ws}/alert-rules/{id}/test');
  return (
    <Stack gap={4} align="flex-start">
      <Button
        size="xs"
        variant="default"
        loading={test.isPending}
        onClick={() => test.mutate({ params: { path: { ws, id } } })}
      >
        {t('rules.test')}
      </Button>
      <ProblemAlert error={test.error} />
      <div role="status">
        {test.data?.results.map(({ channel, status, answer, errorCode, errorDetail }) => (
          <Text key={channel} size="xs">
            {t(`channel.${channel}`)}: {t(`delivery.${status}`)}{' '}
            {answer ?? `${errorCode ?? ''} ${errorDetail ?? ''}`}
          </Text>
        ))}
      </div>
    </Stack>
  );
}
