import { Button, CloseButton, Group, MultiSelect, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { type ReactNode, type RefObject, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { StateSwatch } from '../../ui/state-badge.tsx';
import classes from './filter-row.module.css';
import {
  countOf,
  type FilterName,
  type InstanceFilters,
  isFiltered,
  isStateChosen,
  RUN_GROUP_KINDS,
  STATE_FILTER_NAMES,
  toggleState,
} from './instance-filters.ts';
import type { Counts, Facets } from './use-instance-list.ts';

const TYPING_MS = 250;

interface FilterRowProps {
  readonly filters: InstanceFilters;
  readonly facets: Facets | undefined;
  readonly onFilter: (name: FilterName, value: string | undefined) => void;
  readonly onClear: () => void;
  /** `/` puts the cursor there. */
  readonly textRef: RefObject<HTMLInputElement | null>;
}

/** State chips with counts, and the other filters; always there, also when nothing matches. */
export function FilterRow(props: FilterRowProps): ReactNode {
  const { filters, facets, onFilter, onClear } = props;
  const { t } = useTranslation('instances');
  return (
    <div role="search" aria-label={t('filter.label')}>
      <StateChips filters={filters} facets={facets} onFilter={onFilter} />
      <Group gap="xs" mt="xs" align="flex-end">
        <NodeText {...props} />
        <TextInput
          type="date"
          size="xs"
          aria-label={t('bizdate')}
          value={filters.bizdate ?? ''}
          onChange={(event) => onFilter('bizdate', event.currentTarget.value || undefined)}
        />
        <Facet name="workflow" counts={facets?.workflow} {...props} />
        <Facet name="nodeType" counts={facets?.nodeType} {...props} />
        <Select
          size="xs"
          w={130}
          clearable
          clearButtonProps={{ 'aria-label': t('filter.clearOne') }}
          aria-label={t('column.kind')}
          placeholder={t('column.kind')}
          data={RUN_GROUP_KINDS.map((kind) => ({ value: kind, label: t(`kind.${kind}`) }))}
          value={filters.runGroupKind ?? null}
          onChange={(value) => onFilter('runGroupKind', value ?? undefined)}
        />
        <Facet name="resourceGroup" counts={facets?.resourceGroup} {...props} />
        {filters.runGroup !== undefined && (
          <Button
            size="xs"
            variant="default"
            rightSection={<span aria-hidden="true">✕</span>}
            onClick={() => onFilter('runGroup', undefined)}
          >
            {t('filter.runGroup', { runGroup: filters.runGroup })}
          </Button>
        )}
        {isFiltered(filters) && (
          <Button size="xs" variant="default" onClick={onClear}>
            {t('filter.clear')}
          </Button>
        )}
      </Group>
    </div>
  );
}

function StateChips({
  filters,
  facets,
  onFilter,
}: Pick<FilterRowProps, 'filters' | 'facets' | 'onFilter'>): ReactNode {
  const { t, i18n } = useTranslation(['instances', 'ui']);
  return (
    <Group gap={6} role="group" aria-label={t('filter.state')}>
      {STATE_FILTER_NAMES.map((state) => {
        const count = countOf(facets?.status, state);
        return (
          <button
            key={state}
            type="button"
            className={classes['chip']}
            aria-pressed={isStateChosen(filters, state)}
            data-state={state}
            onClick={() => onFilter('status', toggleState(filters, state))}
          >
            <StateSwatch state={state} />
            {t(`ui:state.${state}`)}
            {count !== undefined && (
              <span className={classes['count']}>{count.toLocaleString(i18n.language)}</span>
            )}
          </button>
        );
      })}
      <button
        type="button"
        className={classes['chip']}
        aria-pressed={filters.frozen === 'true'}
        onClick={() => onFilter('frozen', filters.frozen === 'true' ? undefined : 'true')}
      >
        <StateSwatch state="frozen" />
        {t('ui:state.frozen')}
      </button>
      <button
        type="button"
        className={classes['chip']}
        aria-pressed={filters.upstreamFailed === 'true'}
        onClick={() =>
          onFilter('upstreamFailed', filters.upstreamFailed === 'true' ? undefined : 'true')
        }
      >
        <StateSwatch state="upstreamFailed" />
        {t('ui:state.upstreamFailed')}
      </button>
    </Group>
  );
}

/** One value or several of a column, as the facets offer them. */
function Facet({
  name,
  counts,
  filters,
  onFilter,
}: FilterRowProps & {
  readonly name: 'workflow' | 'nodeType' | 'resourceGroup';
  readonly counts: Counts | undefined;
}): ReactNode {
  const { t } = useTranslation('instances');
  const chosen = filters[name]?.split(',') ?? [];
  // What is chosen stays a choice when nothing has it any more.
  const values = [...new Set([...Object.keys(counts ?? {}), ...chosen])].sort();
  return (
    <MultiSelect
      size="xs"
      w={170}
      clearable
      searchable
      clearButtonProps={{ 'aria-label': t('filter.clearOne') }}
      aria-label={t(`column.${name}`)}
      placeholder={chosen.length === 0 ? t(`column.${name}`) : ''}
      data={values.map((value) => ({
        value,
        label: counts?.[value] === undefined ? value : `${value} (${counts[value]})`,
      }))}
      value={chosen}
      onChange={(next) => onFilter(name, next.length === 0 ? undefined : next.join(','))}
      nothingFoundMessage={t('filter.nothing')}
    />
  );
}

function NodeText({ filters, onFilter, textRef }: FilterRowProps): ReactNode {
  const { t } = useTranslation('instances');
  const [text, setText] = useState(filters.q ?? '');
  const apply = useDebouncedCallback(
    (value: string) => onFilter('q', value.trim() || undefined),
    TYPING_MS,
  );
  // Back, and "Clear filters", change it from outside.
  useEffect(() => setText(filters.q ?? ''), [filters.q]);
  return (
    <TextInput
      ref={textRef}
      size="xs"
      w={190}
      aria-label={t('filter.text')}
      aria-keyshortcuts="/"
      placeholder={t('filter.text')}
      maxLength={200}
      value={text}
      rightSection={
        text === '' ? null : (
          <CloseButton
            size="sm"
            aria-label={t('filter.clearOne')}
            onClick={() => {
              setText('');
              onFilter('q', undefined);
            }}
          />
        )
      }
      onChange={({ currentTarget: { value } }) => {
        setText(value);
        apply(value);
      }}
    />
  );
}
