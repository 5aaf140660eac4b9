import { Center, Loader } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

const QUIET_MS = 200;

/** One per page, and only when loading takes long enough to be noticed. */
export function PageLoader(): ReactNode {
  const { t } = useTranslation('ui');
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!isShown) return null;
  return (
    <Center py="xl">
      <Loader role="img" aria-label={t('loading')} />
    </Center>
  );
}
