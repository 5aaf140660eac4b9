import { Skeleton } from '@mantine/core';
import { lazy, type ReactNode, Suspense } from 'react';

import { AttemptsPanel } from './attempts-panel.tsx';
import { DirtyRecordsPanel } from './dirty-records-panel.tsx';
import type { InstanceTab } from './instance-tab.ts';
import type { InstanceDetail } from './instances-api.ts';
import { NeighboursPanel } from './neighbours-panel.tsx';
import { ParametersPanel } from './parameters-panel.tsx';
import { SummaryPanel } from './summary-panel.tsx';
import { WhyPanel } from './why-panel.tsx';

const LogViewer = lazy(async () => ({
  default: (await import('../logs/log-viewer.tsx')).LogViewer,
}));

/** What a tab of an instance shows, on its page and in the drawer. */
export function InstancePanel({
  instance,
  tab,
  logHeight,
}: {
  readonly instance: InstanceDetail;
  readonly tab: InstanceTab;
  /** Of the log viewer, in CSS. */
  readonly logHeight: string;
}): ReactNode {
  switch (tab) {
    case 'summary':
      return <SummaryPanel instance={instance} />;
    case 'why':
      return <WhyPanel instance={instance} />;
    case 'logs':
      return (
        <Suspense fallback={<Skeleton h={320} />}>
          <LogViewer
            key={instance.id}
            instanceId={instance.id}
            isFailed={instance.status === 'failed'}
            height={logHeight}
          />
        </Suspense>
      );
    case 'parameters':
      return <ParametersPanel instance={instance} />;
    case 'attempts':
      return <AttemptsPanel instanceId={instance.id} />;
    case 'neighbours':
      return <NeighboursPanel instance={instance} />;
    case 'dirty':
      return <DirtyRecordsPanel instanceId={instance.id} />;
  }
}
