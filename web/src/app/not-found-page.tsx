import { Anchor, Center } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'react-router';

import { EmptyState } from '../ui/empty-state.tsx';

export function Component(): ReactNode {
  const { t } = useTranslation('app');
  const { pathname } = useLocation();
  return (
    <Center p="xl" component="main">
      <EmptyState
        title={t('notFound.title')}
        action={
          <Anchor component={Link} to="/">
            {t('notFound.home')}
          </Anchor>
        }
      >
        {t('notFound.text', { path: pathname })}
      </EmptyState>
    </Center>
  );
}
