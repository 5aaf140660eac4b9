import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { addDays, formatInstant } from './time.ts';
import { useZone } from './zone.ts';

/** A point in time in the page's zone; the tooltip has it as ISO 8601. */
export function Instant({
  at,
  withZone = false,
}: {
  readonly at: string | null | undefined;
  readonly withZone?: boolean;
}): ReactNode {
  const zone = useZone();
  if (at === null || at === undefined) return '–';
  return (
    <time dateTime={at} title={at} style={{ fontVariantNumeric: 'tabular-nums' }}>
      {formatInstant(at, zone)}
      {withZone ? ` ${zone}` : ''}
    </time>
  );
}

/** A business date, always with the day its instances run. */
export function Bizdate({
  bizdate,
  runsAt,
}: {
  readonly bizdate: string;
  /** When the instance is due, where there is one. */
  readonly runsAt?: string | undefined;
}): ReactNode {
  const { t } = useTranslation('ui');
  const zone = useZone();
  const runs =
    runsAt === undefined ? addDays(bizdate, 1) : `${formatInstant(runsAt, zone)} ${zone}`;
  return (
    <span style={{ fontVariantNumeric: 'tabular-nums' }}>
      {t('bizdate.pair', { bizdate, runs })}
    </span>
  );
}
