import { Loader } from '@mantine/core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useZone } from '../../ui/zone.ts';
import { exposeTimeline } from './bench-window.ts';
import { GutterEdge, useGutterWidth } from './gutter-edge.tsx';
import { TimelineGutter } from './gutter.tsx';
import { HoverTip } from './hover-tip.tsx';
import { ROW_HEIGHT } from './row-model.ts';
import classes from './timeline-chart.module.css';
import { TimelineChartLoop } from './timeline-chart-loop.ts';
import type { TimelineScene } from './timeline-scene.ts';
import { useChartGestures } from './use-chart-gestures.ts';
import { useSceneVersion } from './use-timeline.ts';

/** Gutter and canvas in one scroll container: rows of the one are always beside those of the other. */
export function TimelineChart({
  scene,
  isLoading,
  onOpen,
  onGroup,
}: {
  readonly scene: TimelineScene;
  readonly isLoading: boolean;
  readonly onOpen: (instance: string) => void;
  /** A lane of tiles was chosen: show only this group. */
  readonly onGroup: (key: string) => void;
}): ReactNode {
  const { t } = useTranslation('timeline');
  const scroller = useRef<HTMLDivElement>(null);
  const plot = useRef<HTMLDivElement>(null);
  const bars = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const axis = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useGutterWidth();
  useSceneVersion(scene);
  const loop = useChartLoop(scene, { scroller, bars, overlay, axis });
  useChartGestures({ scene, loop, scroller, plot, onOpen, onGroup });
  const columns = { gridTemplateColumns: `${width}px minmax(0, 1fr)` };
  return (
    <div className={classes['frame']}>
      <div ref={scroller} className={classes['scroller']} data-testid="timeline-scroller">
        <div className={classes['head']} style={columns}>
          <div className={classes['headGutter']}>
            <span>{t('rows.nodes', { count: scene.data?.bars?.nodes.length ?? 0 })}</span>
            <GutterEdge width={width} onWidth={setWidth} />
          </div>
          <div className={classes['headAxis']}>
            <canvas ref={axis} aria-hidden="true" />
          </div>
        </div>
        <div
          className={classes['body']}
          style={{ ...columns, height: scene.rows.length * ROW_HEIGHT }}
        >
          <TimelineGutter scene={scene} scroller={scroller} onOpen={onOpen} onGroup={onGroup} />
          <div ref={plot} className={classes['plot']} data-testid="timeline-plot">
            <div className={classes['sticky']}>
              <canvas ref={bars} aria-hidden="true" />
              <canvas ref={overlay} aria-hidden="true" />
            </div>
          </div>
        </div>
      </div>
      <HoverTip scene={scene} />
      {isLoading && (
        <div className={classes['loader']}>
          <Loader aria-label={t('loading')} />
        </div>
      )}
    </div>
  );
}

type ElementRef<T> = { readonly current: T | null };

function useChartLoop(
  scene: TimelineScene,
  elements: {
    readonly scroller: ElementRef<HTMLElement>;
    readonly bars: ElementRef<HTMLCanvasElement>;
    readonly overlay: ElementRef<HTMLCanvasElement>;
    readonly axis: ElementRef<HTMLCanvasElement>;
  },
): TimelineChartLoop | undefined {
  const zone = useZone();
  const { i18n } = useTranslation();
  const [loop, setLoop] = useState<TimelineChartLoop>();
  useEffect(() => {
    const { scroller, bars, overlay, axis } = elements;
    if (!scroller.current || !bars.current || !overlay.current || !axis.current) return;
    const made = new TimelineChartLoop(scene, {
      scroller: scroller.current,
      bars: bars.current,
      overlay: overlay.current,
      axis: axis.current,
    });
    setLoop(made);
    const end = exposeTimeline(scene, made);
    return () => {
      end();
      made.close();
    };
  }, [scene]);
  useEffect(() => {
    if (loop === undefined) return;
    loop.zone = zone;
    loop.language = i18n.language;
    scene.dirty('all');
  }, [loop, scene, zone, i18n.language]);
  return loop;
}
