import {
  ActionIcon,
  Button,
  CloseButton,
  Group,
  NativeSelect,
  Text,
  TextInput,
} from '@mantine/core';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import type { LogSearch } from './search-stream.ts';
import { isSearching, type SearchResult } from './use-log-search.ts';

const LEVELS = ['error', 'warn', 'info'] as const;

export interface LogSearchBarProps {
  readonly search: LogSearch;
  readonly result: SearchResult;
  /** Index of the hit that is shown; -1 before the first. */
  readonly current: number;
  readonly isFiltered: boolean;
  readonly onSearch: (search: LogSearch) => void;
  readonly onStep: (step: 1 | -1) => void;
  readonly onFilter: (isFiltered: boolean) => void;
  readonly onClose: () => void;
}

/** What to look for, how many lines have it, and the way from one to the next. */
export function LogSearchBar(props: LogSearchBarProps): ReactNode {
  const { onStep } = props;
  const { t } = useTranslation('logs');
  return (
    <Group gap="xs" role="search" aria-label={t('search.label')}>
      <Words {...props} />
      <Conditions {...props} />
      <Button.Group>
        <Button
          size="xs"
          variant="default"
          px="xs"
          aria-label={t('search.previous')}
          onClick={() => onStep(-1)}
        >
          ↑
        </Button>
        <Button
          size="xs"
          variant="default"
          px="xs"
          aria-label={t('search.next')}
          onClick={() => onStep(1)}
        >
          ↓
        </Button>
      </Button.Group>
      <Count {...props} />
      <CloseButton size="sm" aria-label={t('search.close')} onClick={props.onClose} />
    </Group>
  );
}

function Words({ search, onSearch, onStep, onClose }: LogSearchBarProps): ReactNode {
  const { t } = useTranslation('logs');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Escape') onClose();
    else if (event.key === 'Enter') onStep(event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <TextInput
      ref={input}
      size="xs"
      w={240}
      value={search.q}
      placeholder={t('search.placeholder')}
      aria-label={t('search.placeholder')}
      onChange={(event) => onSearch({ ...search, q: event.currentTarget.value })}
      onKeyDown={onKeyDown}
    />
  );
}

function Conditions({ search, onSearch, isFiltered, onFilter }: LogSearchBarProps): ReactNode {
  const { t } = useTranslation('logs');
  return (
    <>
      <Toggle
        sign="Aa"
        label={t('search.case')}
        isOn={search.case}
        onTurn={(isOn) => onSearch({ ...search, case: isOn })}
      />
      <Toggle
        sign=".*"
        label={t('search.regex')}
        isOn={search.regex}
        onTurn={(isOn) => onSearch({ ...search, regex: isOn })}
      />
      <NativeSelect
        size="xs"
        aria-label={t('search.level')}
        value={search.level ?? ''}
        data={[
          { value: '', label: t('level.any') },
          { value: 'error', label: t('level.error') },
          { value: 'warn', label: t('level.warn') },
          { value: 'info', label: t('level.info') },
        ]}
        onChange={(event) => {
          const level = LEVELS.find((each) => each === event.currentTarget.value);
          onSearch({ ...search, level });
        }}
      />
      <Toggle sign="≡" label={t('search.onlyMatching')} isOn={isFiltered} onTurn={onFilter} />
    </>
  );
}

function Count({ search, result, current }: LogSearchBarProps): ReactNode {
  const { t, i18n } = useTranslation('logs');
  const number = (value: number): string => value.toLocaleString(i18n.language);
  const { count, hits, isDone, scannedLines, totalLines } = result;
  const percent = totalLines === 0 ? 0 : Math.floor((100 * scannedLines) / totalLines);
  let text = '';
  if (isSearching(search) && result.error === undefined) {
    if (!isDone) text = t('search.going', { count: number(count), percent });
    else if (count === 0) text = t('search.none');
    else if (count > hits.length)
      text = t('search.limited', {
        at: number(current + 1),
        count: number(count),
        listed: number(hits.length),
      });
    else text = t('search.count', { at: number(current + 1), count: number(count) });
  }
  return (
    <Text size="sm" role="status" data-testid="log-search-count">
      {text}
    </Text>
  );
}

function Toggle({
  sign,
  label,
  isOn,
  onTurn,
}: {
  readonly sign: string;
  readonly label: string;
  readonly isOn: boolean;
  readonly onTurn: (isOn: boolean) => void;
}): ReactNode {
  return (
    <ActionIcon
      size={30}
      variant={isOn ? 'filled' : 'default'}
      aria-pressed={isOn}
      aria-label={label}
      title={label}
      onClick={() => onTurn(!isOn)}
    >
      {sign}
    </ActionIcon>
  );
}
