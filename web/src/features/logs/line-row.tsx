import { memo, type MouseEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { type StyledText, styledText, type TextStyle } from './ansi-text.ts';
import { linePieces } from './line-pieces.ts';
import { hashOf } from './line-range.ts';
import classes from './log-viewer.module.css';

type Range = readonly [start: number, end: number];

export interface LineRowProps {
  /** From 0. */
  readonly no: number;
  readonly total: number;
  /** `undefined` while it is loaded. */
  readonly line: string | undefined;
  readonly hits: readonly Range[];
  readonly isCurrent: boolean;
  readonly isSelected: boolean;
  readonly top: number;
  /** Long lines end at the edge and have a button that shows them whole. */
  readonly isWrapping: boolean;
  /** Of the group that begins here; `undefined` where none does. */
  readonly isFolded: boolean | undefined;
  readonly onFold: (no: number) => void;
  readonly onExpand: (no: number) => void;
  readonly onSelect: (no: number, isExtended: boolean) => void;
}

/** More than most screens show of a line. */
const LONG = 100;

/** One line: its number, which is its link, and its text. Scrolling does not paint it again. */
export const LineRow = memo(function LineRow(props: LineRowProps): ReactNode {
  const { no, total, line, hits, isCurrent, isSelected, top } = props;
  const { t } = useTranslation('logs');
  const select = (event: MouseEvent): void => {
    event.preventDefault();
    props.onSelect(no, event.shiftKey);
  };
  const styled = styledText(line ?? '');
  const level = /^\S+Z (ERROR|WARN) /.exec(styled.text)?.[1];
  return (
    <div
      role="listitem"
      aria-posinset={no + 1}
      aria-setsize={total}
      aria-current={isCurrent || undefined}
      className={classes['row']}
      data-line={no + 1}
      data-level={level?.toLowerCase()}
      data-selected={isSelected || undefined}
      data-current={isCurrent || undefined}
      style={{ transform: `translateY(${top}px)` }}
    >
      <a
        href={hashOf({ first: no, last: no })}
        className={classes['number']}
        tabIndex={-1}
        aria-label={t('line', { line: no + 1 })}
        onClick={select}
      >
        {no + 1}
      </a>
      {props.isFolded !== undefined && (
        <button
          type="button"
          className={classes['fold']}
          aria-expanded={!props.isFolded}
          aria-label={t('fold')}
          onClick={() => props.onFold(no)}
        >
          {props.isFolded ? '▸' : '▾'}
        </button>
      )}
      <LineText styled={styled} hits={hits} />
      {props.isWrapping && styled.text.length > LONG && (
        <button
          type="button"
          className={classes['expand']}
          aria-label={t('expand', { line: no + 1 })}
          onClick={() => props.onExpand(no)}
        >
          …
        </button>
      )}
    </div>
  );
});

function LineText({
  styled,
  hits,
}: {
  readonly styled: StyledText;
  readonly hits: readonly Range[];
}): ReactNode {
  return (
    <span className={classes['text']}>
      {linePieces(styled, hits).map(({ text, style, isHit }, i) => {
        const Piece = isHit ? 'mark' : 'span';
        return (
          <Piece key={i} className={classOf(style)}>
            {text}
          </Piece>
        );
      })}
    </span>
  );
}

export function classOf(style: TextStyle | undefined): string | undefined {
  if (style === undefined) return undefined;
  return [
    style.color !== undefined && classes[`color${style.color}`],
    style.isBold === true && classes['bold'],
    style.isFaint === true && classes['faint'],
    style.isItalic === true && classes['italic'],
    style.isUnderlined === true && classes['underlined'],
    style.isInverse === true && classes['inverse'],
  ]
    .filter((name) => typeof name === 'string')
    .join(' ');
}
