import { Alert, Code, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Attempt } from './instances-api.ts';

/** What ended an attempt: the system's own words, what to do, the code. */
export function AttemptError({
  error,
  isRetried = false,
}: {
  readonly error: NonNullable<Attempt['error']>;
  /** It is tried again by itself. */
  readonly isRetried?: boolean;
}): ReactNode {
  const { t, i18n } = useTranslation(['instances', 'errors', 'ui']);
  const translated = (part: string, otherwise: string | undefined): string | undefined =>
    i18n.exists(`errors:${error.code}.${part}`)
      ? i18n.t(`errors:${error.code}.${part}`)
      : otherwise;
  const help = translated('help', error.help);
  return (
    <Alert
      color={isRetried ? 'blue' : 'red'}
      variant="outline"
      title={`${error.code} ${translated('title', error.title) ?? ''}`}
      data-testid="attempt-error"
    >
      <Code
        block
        style={{ whiteSpace: 'pre-wrap', maxHeight: 220, overflowY: 'auto' }}
        tabIndex={0}
      >
        {error.detail}
      </Code>
      {help !== undefined && (
        <Text size="sm" mt="xs">
          {t('ui:problem.fix')} {help}
        </Text>
      )}
    </Alert>
  );
}
