import { Group, Stack, Text } from '@mantine/core';
import { lazy, type ReactNode, Suspense, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';

import { useWorkspace } from '../../app/workspace.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { addDays, dateIn } from '../../ui/time.ts';
import { BizdateBar, type Period } from './bizdate-bar.tsx';
import { ChooseMenu } from './choose-menu.tsx';
import { ChosenBar } from './chosen-bar.tsx';
import { FilterRow, type SetParameters } from './filter-row.tsx';
import { StateLegend } from './state-legend.tsx';
import {
  addressOf,
  FILTER_PARAMETERS,
  type TimelineAddress,
  zoomText,
} from './timeline-address.ts';
import { TimelineAnnouncer } from './timeline-announcer.tsx';
import { TimelineChart } from './timeline-chart.tsx';
import { TimelineEmpty } from './timeline-empty.tsx';
import type { TimelineScene } from './timeline-scene.ts';
import { TimelineTable } from './timeline-table.tsx';
import { useTimelineKeys } from './use-timeline-keys.ts';
import { type Timeline, useSceneVersion, useTimeline } from './use-timeline.ts';
import { ZoomControls } from './zoom-controls.tsx';

// With logs and parameters in it: only who opens an instance needs it.
const InstanceDrawer = lazy(async () => ({
  default: (await import('../instances/instance-drawer.tsx')).InstanceDrawer,
}));

const MAX_BARS = 25_000;

/** All instances of a business date or a window over time. */
export function Component(): ReactNode {
  const { t } = useTranslation('timeline');
  const { timezone } = useWorkspace();
  const [params, setParams] = useSearchParams();
  const address = addressOf(params, addDays(dateIn(Date.now(), timezone), -1));
  const timeline = useTimeline(address);
  const { scene } = timeline;
  const change = (changes: Readonly<Record<string, string>>, isReplace: boolean): void =>
    setParams((before) => withParameters(before, changes), { replace: isReplace });
  const set: SetParameters = (changes) => change(changes, false);
  const clear = (): void => set(Object.fromEntries(FILTER_PARAMETERS.map((name) => [name, ''])));
  const toggleTable = (): void => set({ view: address.isTable ? '' : 'table' });
  useTimelineKeys(scene, toggleTable);
  useZoomInAddress(scene, (zoom) => change({ zoom }, true));
  useEffect(() => scene.select(address.instance ?? undefined), [scene, address.instance]);
  return (
    <Page
      title={t('title')}
      isWide
      actions={<ZoomControls scene={scene} isTable={address.isTable} onTable={toggleTable} />}
    >
      <BizdateBar filter={address.filter} onPeriod={(period) => set(periodParameters(period))} />
      <Stack gap={6}>
        <Filters {...{ address, set, timeline }} onClear={clear} />
      </Stack>
      <ProblemAlert error={timeline.error} onRetry={timeline.reload} />
      <Content {...{ address, set, timeline }} onClear={clear} />
      {/* Below the bars: they must not move from under a hand that goes on choosing. */}
      <ChosenBar scene={scene} />
      <TimelineAnnouncer scene={scene} />
      {address.instance !== null && (
        <Suspense fallback={null}>
          <InstanceDrawer
            instanceId={address.instance}
            tab={address.tab}
            onTab={(tab) => change({ tab }, true)}
            onClose={() => set({ inst: '', tab: '' })}
          />
        </Suspense>
      )}
    </Page>
  );
}

interface Parts {
  readonly address: TimelineAddress;
  readonly set: SetParameters;
  readonly timeline: Timeline;
  readonly onClear: () => void;
}

function Filters({ address, set, timeline: { scene }, onClear }: Parts): ReactNode {
  useSceneVersion(scene);
  const answer = scene.data?.answer;
  const isTiles = answer?.lod === 'tiles' && answer.total <= MAX_BARS;
  return (
    <>
      <FilterRow
        address={address}
        set={set}
        onClear={onClear}
        isFiltered={isFiltered(address)}
        everyBar={isTiles || address.isEveryBar}
      />
      <Group justify="space-between" align="flex-start" wrap="nowrap" gap="xs">
        <StateLegend
          scene={scene}
          states={address.states}
          onStates={(states) => set({ state: states.join(','), status: '' })}
        />
        <ChooseMenu scene={scene} />
      </Group>
    </>
  );
}

function Content({ address, set, timeline, onClear }: Parts): ReactNode {
  const { t } = useTranslation('timeline');
  const { scene, isLoading, error } = timeline;
  useSceneVersion(scene);
  const open = (inst: string): void => set({ inst });
  const isEmpty = scene.data !== undefined && scene.rows.length === 0;
  if (scene.data === undefined && !isLoading) return null;
  if (isEmpty && error === undefined)
    return (
      <TimelineEmpty
        bizdate={address.filter.bizdate}
        isFiltered={isFiltered(address)}
        onClear={onClear}
      />
    );
  const isTable = address.isTable && scene.data?.bars !== undefined;
  return (
    <>
      {scene.data?.tiles !== undefined && (
        <Text size="sm" c="dimmed">
          {t('tiles', { total: scene.data.answer.total })}
        </Text>
      )}
      {isTable ? (
        <TimelineTable scene={scene} onOpen={open} />
      ) : (
        // There before the answer is: then only the canvas has to be drawn.
        <TimelineChart
          scene={scene}
          isLoading={scene.data === undefined}
          onOpen={open}
          onGroup={(key) => set({ [address.grouping]: key, zoom: '' })}
        />
      )}
    </>
  );
}

function isFiltered({ filter, states }: TimelineAddress): boolean {
  const { workflows, nodeTypes, resourceGroups, kinds, runGroup, text } = filter;
  const lists = [workflows, nodeTypes, resourceGroups, kinds, states];
  return text !== '' || runGroup !== '' || lists.some((list) => list.length > 0);
}

function withParameters(
  before: URLSearchParams,
  changes: Readonly<Record<string, string>>,
): URLSearchParams {
  const after = new URLSearchParams(before);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') after.delete(name);
    else after.set(name, value);
  }
  return after;
}

function periodParameters({ bizdate = '', window }: Period): Record<string, string> {
  return {
    bizdate,
    from: window === undefined ? '' : new Date(window.from).toISOString(),
    to: window === undefined ? '' : new Date(window.to).toISOString(),
    // What was zoomed in to is somewhere else.
    zoom: '',
    inst: '',
    tab: '',
  };
}

const ZOOM_MS = 400;

/** Keeps the zoomed window in the address, once the hand rests: a link shows what its sender saw. */
function useZoomInAddress(scene: TimelineScene, onZoom: (zoom: string) => void): void {
  const version = useSceneVersion(scene);
  const zoom = scene.isZoomed ? zoomText(scene.view) : '';
  useEffect(() => {
    if (scene.data === undefined) return undefined;
    const timer = setTimeout(() => {
      const known = new URLSearchParams(window.location.search).get('zoom') ?? '';
      if (known !== zoom && !scene.isFollowing) onZoom(zoom);
    }, ZOOM_MS);
    return () => clearTimeout(timer);
  }, [scene, version === 0, zoom]);
}
