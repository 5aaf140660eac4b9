import { Center, Loader } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './page-loading.module.css';

/** While the code of a page is on its way; unseen for a moment, because it mostly takes no longer. */
export function PageLoading(): ReactNode {
  const { t } = useTranslation('ui');
  return (
    <Center className={classes['root']} role="status" aria-label={t('loading')}>
      <Loader aria-hidden />
    </Center>
  );
}
