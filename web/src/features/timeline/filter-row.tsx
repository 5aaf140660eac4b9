import { Button, Group, MultiSelect, Select, Switch, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { usePageKeys } from '../../app/shortcuts.tsx';
import { useWorkspace } from '../../app/workspace.tsx';
import { RunsFilter } from './runs-filter.tsx';
import { type Grouping, GROUPINGS } from './timeline-filter.ts';
import type { TimelineAddress } from './timeline-address.ts';

const TYPING_MS = 300;

/** Changes query parameters of the page; an empty value takes one away. */
export type SetParameters = (changes: Readonly<Record<string, string>>) => void;

/** What is shown and how it is grouped. */
export function FilterRow({
  address,
  set,
  isFiltered,
  onClear,
  everyBar,
}: {
  readonly address: TimelineAddress;
  readonly set: SetParameters;
  readonly isFiltered: boolean;
  readonly onClear: () => void;
  /** Whether tiles are shown that could be bars, or bars because somebody asked for every one. */
  readonly everyBar: boolean;
}): ReactNode {
  const { t } = useTranslation('timeline');
  const { filter, grouping } = address;
  const options = useOptions(address);
  return (
    <Group gap="xs" wrap="wrap">
      <Select
        size="xs"
        w={150}
        aria-label={t('filter.groupBy')}
        allowDeselect={false}
        value={grouping}
        data={GROUPINGS.map((value: Grouping) => ({ value, label: t(`groupBy.${value}`) }))}
        onChange={(value) => set({ groupBy: value === 'workflow' ? '' : (value ?? '') })}
      />
      <TextFilter text={filter.text} onText={(q) => set({ q })} />
      {(['workflow', 'nodeType', 'resourceGroup'] as const).map((name) => (
        <MultiSelect
          key={name}
          size="xs"
          w={{ workflow: 180, nodeType: 150, resourceGroup: 150 }[name]}
          aria-label={t(`filter.${name}`)}
          placeholder={options[name].chosen.length === 0 ? t(`filter.${name}`) : ''}
          data={options[name].data}
          value={options[name].chosen}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': t('filter.clearOne') }}
          onChange={(values) => set({ [name]: values.join(',') })}
        />
      ))}
      <RunsFilter filter={filter} set={set} />
      {everyBar && (
        <Switch
          size="xs"
          label={t('filter.everyBar')}
          checked={address.isEveryBar}
          onChange={(event) => set({ lod: event.currentTarget.checked ? 'bars' : '' })}
        />
      )}
      {isFiltered && (
        <Button size="compact-sm" variant="subtle" onClick={onClear}>
          {t('filter.clear')}
        </Button>
      )}
    </Group>
  );
}

function TextFilter({
  text,
  onText,
}: {
  readonly text: string;
  readonly onText: (text: string) => void;
}): ReactNode {
  const { t } = useTranslation('timeline');
  const [typed, setTyped] = useState(text);
  const input = useRef<HTMLInputElement>(null);
  const tell = useDebouncedCallback(onText, TYPING_MS);
  useEffect(() => setTyped(text), [text]);
  usePageKeys((event) => {
    if (event.key !== '/') return false;
    input.current?.focus();
    return true;
  });
  return (
    <TextInput
      ref={input}
      size="xs"
      w={170}
      aria-label={t('filter.text')}
      placeholder={t('filter.text')}
      aria-keyshortcuts="/"
      value={typed}
      onChange={({ currentTarget: { value } }) => {
        setTyped(value);
        tell(value);
      }}
    />
  );
}

interface Options {
  readonly data: { value: string; label: string }[];
  readonly chosen: string[];
}

/** What there is to choose from under the period; what is chosen is there in any case. */
function useOptions(
  address: TimelineAddress,
): Record<'workflow' | 'nodeType' | 'resourceGroup', Options> {
  const { name: ws } = useWorkspace();
  const { filter } = address;
  const query = filter.bizdate === undefined ? {} : { bizdate: filter.bizdate };
  const { data } = $api.useQuery('get', '/api/v1/workspaces/{ws}/instances/facets', {
    params: { path: { ws }, query },
  });
  const optionsOf = (
    facets: readonly { id?: string; value: string }[] | undefined,
    chosen: readonly string[],
  ): Options => {
    const known = (facets ?? []).map(({ id, value }) => ({ value: id ?? value, label: value }));
    // A link may name a workflow by its name.
    const values = chosen.map((each) => known.find(({ label }) => label === each)?.value ?? each);
    const others = values.filter((each) => !known.some(({ value }) => value === each));
    return {
      data: [...known, ...others.map((value) => ({ value, label: value }))],
      chosen: values,
    };
  };
  return {
    workflow: optionsOf(data?.workflow, filter.workflows),
    nodeType: optionsOf(data?.nodeType, filter.nodeTypes),
    resourceGroup: optionsOf(data?.resourceGroup, filter.resourceGroups),
  };
}
