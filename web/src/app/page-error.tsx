import { Button, Center, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useRouteError } from 'react-router';

import { ProblemAlert } from '../ui/problem-alert.tsx';

/** A page that broke: what it said, and a way on. The rest of the console goes on. */
export function PageError(): ReactNode {
  const error = useRouteError();
  const { t } = useTranslation('app');
  return (
    <Center p="xl" component="main">
      <Stack maw={640}>
        <ProblemAlert error={error} />
        <Button variant="default" onClick={() => window.location.reload()}>
          {t('reload')}
        </Button>
      </Stack>
    </Center>
  );
}
