import { Button, Group, NativeSelect, SegmentedControl, Switch, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';

const MAX_TABS = 5;

export interface LogToolbarProps {
  readonly instanceId: string;
  /** The epoch that is chosen; absent: the latest. */
  readonly attempt: number | undefined;
  readonly isOver: boolean;
  readonly isFollowing: boolean;
  readonly isWrapping: boolean;
  readonly totalLines: number;
  readonly onAttempt: (attempt: number) => void;
  readonly onFollow: () => void;
  readonly onFirstError: () => void;
  readonly onSearch: () => void;
  readonly onWrap: (isWrapping: boolean) => void;
  readonly onCopy: () => void;
  readonly onCopyLink: () => void;
}

export function LogToolbar(props: LogToolbarProps): ReactNode {
  const { t, i18n } = useTranslation('logs');
  const { instanceId, attempt } = props;
  const query = new URLSearchParams({ download: '1' });
  if (attempt !== undefined) query.set('attempt', String(attempt));
  const download = `/api/v1/instances/${encodeURIComponent(instanceId)}/log?${query}`;
  return (
    <Group gap="xs">
      <Attempts {...props} />
      {!props.isOver && (
        <Button
          size="xs"
          variant="default"
          aria-pressed={props.isFollowing}
          onClick={props.onFollow}
        >
          {props.isFollowing ? t('pause') : t('follow')}
        </Button>
      )}
      <Button size="xs" variant="default" onClick={props.onFirstError}>
        {t('firstError')}
      </Button>
      <Button size="xs" variant="default" aria-keyshortcuts="Control+F" onClick={props.onSearch}>
        {t('search.open')}
      </Button>
      <Button size="xs" variant="default" onClick={props.onCopy}>
        {t('copy')}
      </Button>
      <Button size="xs" variant="default" onClick={props.onCopyLink}>
        {t('copyLink')}
      </Button>
      <Button size="xs" variant="default" component="a" href={download}>
        {t('download')}
      </Button>
      <Switch
        size="sm"
        label={t('wrap')}
        checked={props.isWrapping}
        onChange={(event) => props.onWrap(event.currentTarget.checked)}
      />
      <Text size="sm" c="var(--mr-text-dim)">
        {t('lines', {
          count: props.totalLines,
          number: props.totalLines.toLocaleString(i18n.language),
        })}
      </Text>
    </Group>
  );
}

function Attempts({ instanceId, attempt, onAttempt }: LogToolbarProps): ReactNode {
  const { t } = useTranslation('logs');
  const { data } = $api.useQuery('get', '/api/v1/instances/{id}/attempts', {
    params: { path: { id: instanceId } },
  });
  const items = data?.items ?? [];
  if (items.length < 2) return null;
  const options = items.map((item) => ({
    value: String(item.epoch),
    label: t('attempt', { attempt: item.attempt, run: item.runNumber }),
  }));
  const value = String(attempt ?? items[0]?.epoch);
  const choose = (chosen: string): void => onAttempt(Number(chosen));
  if (items.length > MAX_TABS)
    return (
      <NativeSelect
        size="xs"
        aria-label={t('attempts')}
        data={options}
        value={value}
        onChange={(event) => choose(event.currentTarget.value)}
      />
    );
  return (
    <SegmentedControl
      size="xs"
      aria-label={t('attempts')}
      data={options}
      value={value}
      onChange={choose}
    />
  );
}
