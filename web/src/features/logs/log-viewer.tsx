import { Alert, Button } from '@mantine/core';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';

import { EmptyState } from '../../ui/empty-state.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { styledText } from './ansi-text.ts';
import { groupTitle } from './line-folds.ts';
import { LineRow } from './line-row.tsx';
import { rowsInView } from './line-scroll.ts';
import { LineTrack } from './line-track.tsx';
import { LogSearchBar } from './log-search-bar.tsx';
import { LogToolbar } from './log-toolbar.tsx';
import classes from './log-viewer.module.css';
import type { LogHit } from './search-stream.ts';
import type { LogWindow } from './log-window.ts';
import { useFindKey } from './use-find-key.ts';
import { type Folds, useFolds } from './use-folds.ts';
import { useLineScroll } from './use-line-scroll.ts';
import { useLogCopy } from './use-log-copy.ts';
import { type LogHits, useLogHits } from './use-log-hits.ts';
import { isSearching, NO_SEARCH } from './use-log-search.ts';
import { useLogWindow } from './use-log-window.ts';
import { useSelectedLines } from './use-selected-lines.ts';
import { useStartLine } from './use-start-line.ts';
import { WholeLine } from './whole-line.tsx';

export interface LogViewerProps {
  /** The API id of the instance. */
  readonly instanceId: string;
  /** An epoch; unless given, that of `?attempt=`, else the latest. */
  readonly attempt?: number | undefined;
  /** Begins at the first line that is an error. */
  readonly isFailed?: boolean;
  /** Of the whole viewer, in CSS. */
  readonly height?: string;
}

/** The run log of an instance: any length, live, searched on the server. */
export function LogViewer({ attempt, ...props }: LogViewerProps): ReactNode {
  const [params, setParams] = useSearchParams();
  const named = Number(params.get('attempt') ?? Number.NaN);
  const chosen = attempt ?? (Number.isSafeInteger(named) ? named : undefined);
  const choose = (epoch: number): void => {
    setParams((before) => {
      before.set('attempt', String(epoch));
      return before;
    });
  };
  return (
    <AttemptLog
      key={`${props.instanceId} ${chosen}`}
      {...props}
      attempt={chosen}
      onAttempt={choose}
    />
  );
}

type AttemptProps = LogViewerProps & { readonly onAttempt: (epoch: number) => void };

function AttemptLog(props: AttemptProps): ReactNode {
  const { instanceId, attempt, height = '60vh', onAttempt } = props;
  const { t } = useTranslation('logs');
  const root = useRef<HTMLDivElement>(null);
  const find = useFindKey(root);
  const [isWrapping, setWrapping] = useState(false);
  const [isFiltered, setFiltered] = useState(false);
  const page = useAttemptLog(props, isFiltered && find.isOpen);
  const { log, hits, view, start, copy, totalLines, isOver } = page;
  return (
    <div ref={root} className={classes['viewer']} style={{ height }} data-testid="log-viewer">
      <LogToolbar
        {...{ instanceId, attempt, isOver, isWrapping, totalLines, onAttempt }}
        isFollowing={view.isFollowing}
        onFollow={() => view.follow(!view.isFollowing)}
        onFirstError={start.toFirstError}
        onSearch={find.open}
        onWrap={setWrapping}
        onCopy={copy.lines}
        onCopyLink={copy.link}
      />
      {find.isOpen && (
        <LogSearchBar
          key={find.opened}
          {...hits}
          isFiltered={isFiltered}
          onSearch={hits.setSearch}
          onStep={hits.step}
          onFilter={setFiltered}
          onClose={() => {
            hits.setSearch(NO_SEARCH);
            find.close();
          }}
        />
      )}
      <Truncated log={log} onShow={page.show} />
      {page.error !== undefined && <ProblemAlert error={page.error} onRetry={page.retry} />}
      {log.extent !== undefined && totalLines === 0 ? (
        <EmptyState title={isOver ? t('emptyOver') : t('empty')} />
      ) : (
        <Lines page={page} isWrapping={isWrapping} />
      )}
    </div>
  );
}

type AttemptPage = ReturnType<typeof useAttemptLog>;

/** All that the parts of the viewer share: the lines, which of them are rows, and where the view is. */
function useAttemptLog(
  { instanceId, attempt, isFailed = false }: AttemptProps,
  isFiltered: boolean,
) {
  const log = useLogWindow(instanceId, attempt);
  const { totalLines = 0, isOver = false } = log.extent ?? {};
  const [foldError, setFoldError] = useState<unknown>();
  const folds = useFolds(instanceId, attempt, totalLines, setFoldError);
  const shown = useRef<(line: number) => void>(() => undefined);
  const topLine = useRef(0);
  const show = useCallback((line: number) => shown.current(line), []);
  const hits = useLogHits(instanceId, attempt, topLine.current, show);
  const rows = useRows(folds, hits, isFiltered);
  const view = useLineScroll(rows.total, isOver);
  const inView = rowsInView(view.scroll, view.top);
  topLine.current = rows.lineOf(inView.first);
  const lastLine = rows.lineOf(Math.max(0, inView.last));
  shown.current = (line) => {
    folds.reveal(line);
    view.show(rows.rowOf(line));
  };
  const selected = useSelectedLines();
  const start = useStartLine({ instanceId, attempt, log, isFailed, selected, view, show });
  const copy = useLogCopy(log, selected.range, { first: topLine.current, last: lastLine });
  useEffect(() => {
    if (!rows.isFiltered) log.want(topLine.current, lastLine);
  });
  const currentLine = hits.result.hits[hits.current]?.line;
  const latestLine = useRef(currentLine);
  latestLine.current = currentLine;
  // Among other rows the hit that was in view stands elsewhere.
  useEffect(() => {
    if (latestLine.current !== undefined) show(latestLine.current);
  }, [rows.isFiltered, show]);
  const error = foldError ?? log.error ?? hits.result.error ?? start.error;
  const retry = (): void => {
    setFoldError(undefined);
    hits.setSearch({ ...hits.search });
    void log.refresh();
  };
  return {
    log,
    totalLines,
    isOver,
    folds,
    hits,
    rows,
    view,
    selected,
    start,
    copy,
    show,
    error,
    retry,
  };
}

const NO_RANGES: LogHit['ranges'] = [];

function Lines({
  page,
  isWrapping,
}: {
  readonly page: AttemptPage;
  readonly isWrapping: boolean;
}): ReactNode {
  const { log, rows, hits, folds, selected, start, view } = page;
  const { t } = useTranslation('logs');
  const [whole, setWhole] = useState<number>();
  const current = hits.result.hits[hits.current]?.line ?? start.line;
  const row = (index: number, top: number): ReactNode => {
    const no = rows.lineOf(index);
    const line = rows.textOf(index) ?? log.line(no);
    const isGroup = !rows.isFiltered && line !== undefined && isGroupLine(line);
    return (
      <LineRow
        key={no}
        {...{ no, line, top }}
        total={page.totalLines}
        hits={hits.hitOf(no)?.ranges ?? NO_RANGES}
        isCurrent={current === no}
        isSelected={isIn(no, selected.range)}
        isWrapping={isWrapping}
        isFolded={isGroup ? folds.isFolded(no) : undefined}
        onFold={folds.toggle}
        onExpand={setWhole}
        onSelect={selected.select}
      />
    );
  };
  return (
    <>
      <LineTrack
        {...view}
        onTop={view.move}
        onHeight={view.setHeight}
        label={t('label')}
        isWrapping={isWrapping}
        row={row}
      />
      {whole !== undefined && isWrapping && (
        <WholeLine
          no={whole}
          line={log.line(whole) ?? hits.hitOf(whole)?.text ?? ''}
          length={log.lengthOfCut(whole)}
          onClose={() => setWhole(undefined)}
        />
      )}
    </>
  );
}

interface Rows {
  readonly total: number;
  readonly isFiltered: boolean;
  lineOf(row: number): number;
  rowOf(line: number): number;
  /** Where the row is not read from the log itself. */
  textOf(row: number): string | undefined;
}

/** The lines that are rows: all that are not folded away, or only those that match. */
function useRows(folds: Folds, { search, result }: LogHits, isWanted: boolean): Rows {
  const { hits } = result;
  const isFiltered = isWanted && isSearching(search);
  return useMemo(() => {
    if (!isFiltered)
      return {
        total: folds.rows.total,
        isFiltered,
        lineOf: (row) => folds.rows.lineOf(row),
        rowOf: (line) => folds.rows.rowOf(line),
        textOf: () => undefined,
      };
    return {
      total: hits.length,
      isFiltered,
      lineOf: (row) => hits[row]?.line ?? 0,
      rowOf: (line) =>
        Math.max(
          0,
          hits.findIndex((hit) => hit.line >= line),
        ),
      textOf: (row) => hits[row]?.text,
    };
  }, [isFiltered, folds.rows, hits]);
}

function Truncated({
  log,
  onShow,
}: {
  readonly log: LogWindow;
  readonly onShow: (line: number) => void;
}): ReactNode {
  const { t, i18n } = useTranslation('logs');
  const truncated = log.extent?.truncated ?? null;
  if (truncated === null) return null;
  const number = (value: number): string => value.toLocaleString(i18n.language);
  return (
    <Alert color="gray" variant="outline" p="xs">
      {t('truncated', { bytes: number(truncated.bytes), line: number(truncated.line + 1) })}{' '}
      <Button size="compact-xs" variant="default" onClick={() => onShow(truncated.line)}>
        {t('showTruncated')}
      </Button>
    </Alert>
  );
}

function isIn(no: number, range: { first: number; last: number } | undefined): boolean {
  return range !== undefined && range.first <= no && no <= range.last;
}

function isGroupLine(line: string): boolean {
  return line.includes('::group::') && groupTitle(styledText(line).text) !== undefined;
}
