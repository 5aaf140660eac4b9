import type { ReactNode } from 'react';

import { Page } from '../../ui/page.tsx';

export function Component(): ReactNode {
  return <Page title="…">{null}</Page>;
}
