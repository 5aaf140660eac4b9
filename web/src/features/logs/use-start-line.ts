import { notifications } from '@mantine/notifications';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { LogWindow } from './log-window.ts';
import type { LineView } from './use-line-scroll.ts';
import { firstLineOf } from './use-log-search.ts';
import type { SelectedLines } from './use-selected-lines.ts';

/**
 * Where a log is opened: at the lines the address names, at the first error of what failed, at the end of
 * what still runs.
 */
export function useStartLine(options: {
  readonly instanceId: string;
  readonly attempt: number | undefined;
  readonly log: LogWindow;
  readonly isFailed: boolean;
  readonly selected: SelectedLines;
  readonly view: LineView;
  readonly show: (line: number) => void;
}): {
  readonly toFirstError: () => void;
  /** The first error, once it was gone to. */
  readonly line: number | undefined;
  readonly error: unknown;
} {
  const { instanceId, attempt, log, isFailed, selected, view, show } = options;
  const { t } = useTranslation('logs');
  const [error, setError] = useState<unknown>();
  const [found, setFound] = useState<number>();
  const away = useRef(new AbortController());
  useEffect(() => {
    away.current = new AbortController();
    return () => away.current.abort();
  }, []);

  const toFirstError = (isAsked: boolean): void => {
    const { signal } = away.current;
    firstLineOf({ instanceId, attempt }, 'error', signal).then(
      (line) => {
        if (line === undefined && isAsked) notifications.show({ message: t('noError') });
        setFound(line);
        if (line !== undefined) show(line);
      },
      (reason: unknown) => {
        if (!signal.aborted) setError(reason);
      },
    );
  };

  const isThere = log.extent !== undefined;
  const hasStarted = useRef(false);
  useEffect(() => {
    if (!isThere || hasStarted.current) return;
    hasStarted.current = true;
    if (selected.range !== undefined) return;
    if (isFailed) toFirstError(false);
    else if (log.extent?.isOver === false) view.follow(true);
  });
  const first = selected.range?.first;
  useEffect(() => {
    if (isThere && first !== undefined) show(first);
  }, [isThere, first, show]);
  return { toFirstError: () => toFirstError(true), line: found, error };
}
