import { Loader, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';
import { Instant } from '../../ui/instant.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import classes from './code-difference.module.css';
import { RERUN_CODES, type RerunCode } from './operations.ts';
import { type TextDifference, textDifference } from './text-difference.ts';

type Versions = components['schemas']['CodeVersions'];

/** How the code that an instance was planned with differs from the latest. Nothing where both are the same. */
export function CodeDifference({ id }: { readonly id: string }): ReactNode {
  const { t } = useTranslation('instances');
  const { data, error, isPending, refetch } = $api.useQuery(
    'get',
    '/api/v1/instances/{id}/versions',
    { params: { path: { id } } },
  );
  if (isPending) return <Loader size="sm" aria-label={t('loading')} />;
  if (data === undefined) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  if (data.changes.length === 0) return null;
  return (
    <section className={classes['frame']} tabIndex={0} aria-label={t('code.difference')}>
      <div className={classes['sides']}>
        {SIDES.map((side) => (
          <Head key={side} side={side} version={data[side]} />
        ))}
      </div>
      {data.changes.map((change) => (
        <Change key={change.pointer} change={change} />
      ))}
    </section>
  );
}

const SIDES = [...RERUN_CODES].reverse();

function Head({
  side,
  version: { version, submittedAt, submittedBy, comment },
}: {
  readonly side: RerunCode;
  readonly version: Versions['latest'];
}): ReactNode {
  const { t } = useTranslation('instances');
  return (
    <Stack gap={0}>
      <Text size="sm" fw={600}>
        {t(`code.${side}Version`, { version })}
      </Text>
      <Text size="xs" c="var(--mr-text-dim)">
        <Instant at={submittedAt} />
        {submittedBy !== null && ` · ${submittedBy}`}
        {comment !== '' && ` · ${comment}`}
      </Text>
    </Stack>
  );
}

function Change({ change }: { readonly change: Versions['changes'][number] }): ReactNode {
  const { pointer, planned, latest } = change;
  const difference = textDifference(textOf(planned), textOf(latest));
  return (
    <>
      <Text size="xs" ff="monospace" c="var(--mr-text-dim)" px={10} pt={6}>
        {pointer}
      </Text>
      <div className={classes['sides']}>
        {SIDES.map((side) => (
          <Side key={side} side={side} difference={difference} />
        ))}
      </div>
    </>
  );
}

function Side({
  side,
  difference,
}: {
  readonly side: RerunCode;
  readonly difference: TextDifference;
}): ReactNode {
  const { before, after, isCutBefore, isCutAfter } = difference;
  const changed = difference[side];
  return (
    <pre className={classes['text']}>
      {[...(isCutBefore ? ['…'] : []), ...before].map(lineOf).join('')}
      {changed.length === 0 ? (
        <span className={classes['none']}>–{'\n'}</span>
      ) : (
        <mark className={classes[side]}>{changed.map(lineOf).join('')}</mark>
      )}
      {[...after, ...(isCutAfter ? ['…'] : [])].map(lineOf).join('')}
    </pre>
  );
}

function lineOf(text: string): string {
  return `${text}\n`;
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
