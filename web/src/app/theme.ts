import { createTheme, type CSSVariablesResolver } from '@mantine/core';

export const theme = createTheme({
  fontFamily:
    'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SFMono-Regular", Menlo, "DejaVu Sans Mono", monospace',
  primaryColor: 'blue',
  // A lighter one in the dark would carry white text at 2.5:1.
  primaryShade: { light: 8, dark: 8 },
  autoContrast: true,
  defaultRadius: 'sm',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    // Their `<header>` counts as a second banner of the page otherwise.
    ModalHeader: { defaultProps: { role: 'presentation' } },
    DrawerHeader: { defaultProps: { role: 'presentation' } },
    // Its own grey has a contrast of 3.3:1 on white.
    Notification: { styles: { description: { color: 'var(--mr-text-dim)' } } },
    // The blue of the open page has a contrast of 4.0:1 under the cursor.
    NavLink: { styles: { label: { color: 'var(--mr-text)' } } },
    // A yellow title has a contrast of 2.5:1 on white.
    Alert: {
      styles: (_theme: unknown, { color }: { color?: unknown }) =>
        color === 'yellow' ? { label: { color: 'var(--mr-text)' } } : {},
    },
  },
  cursorType: 'pointer',
});

/** Mantine's grounds and texts are those of the palette, so that the canvas and the pages are one. */
export const variables: CSSVariablesResolver = () => {
  const own = {
    '--mantine-color-body': 'var(--mr-ground)',
    '--mantine-color-text': 'var(--mr-text)',
    '--mantine-color-dimmed': 'var(--mr-text-dim)',
    '--mantine-color-placeholder': 'var(--mr-text-dim)',
    '--mantine-color-default-border': 'var(--mr-line)',
    '--mantine-color-error': 'var(--mr-now)',
  };
  return { variables: {}, light: own, dark: own };
};
