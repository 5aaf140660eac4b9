import { MantineProvider, mergeThemeOverrides } from '@mantine/core';
import { type ReactNode, useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { theme, variables } from './theme.ts';

/** The component kit with our theme, and with a name for each of its close buttons. */
export function Themed({ children }: { readonly children: ReactNode }): ReactNode {
  const { t } = useTranslation('app');
  const close = t('close');
  const named = useMemo(() => {
    const defaultProps = { closeButtonProps: { 'aria-label': close } };
    return mergeThemeOverrides(theme, {
      components: { Modal: { defaultProps }, Notification: { defaultProps } },
    });
  }, [close]);
  return (
    <MantineProvider theme={named} cssVariablesResolver={variables} defaultColorScheme="auto">
      {children}
    </MantineProvider>
  );
}
