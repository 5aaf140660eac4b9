import { Alert, Button, CopyButton, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { draftText } from './draft.ts';
import type { DraftState } from './use-draft.ts';

/** Somebody else saved meanwhile: says so and lets the person decide. Nothing is overwritten. */
export function ConflictAlert({ state }: { readonly state: DraftState }): ReactNode {
  const { t } = useTranslation('workflows');
  return (
    <Alert
      color="yellow"
      variant="outline"
      role="alert"
      title={t('conflict.title')}
      data-testid="conflict"
    >
      <Text size="sm">{t('conflict.text')}</Text>
      <Group mt="sm">
        <CopyButton value={draftText(state.draft)}>
          {({ copied, copy }) => (
            <Button size="xs" variant="default" onClick={copy}>
              {t(copied ? 'conflict.copied' : 'conflict.copy')}
            </Button>
          )}
        </CopyButton>
        <Button size="xs" variant="default" onClick={() => void state.reload()}>
          {t('conflict.reload')}
        </Button>
      </Group>
    </Alert>
  );
}
