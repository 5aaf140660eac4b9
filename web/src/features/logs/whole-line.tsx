import { CloseButton, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { styledText } from './ansi-text.ts';
import { linePieces } from './line-pieces.ts';
import { classOf } from './line-row.tsx';
import classes from './log-viewer.module.css';

/** A long line with breaks, below the rows, which all have one height. */
export function WholeLine({
  no,
  line,
  length,
  onClose,
}: {
  readonly no: number;
  readonly line: string;
  /** Of the line in the log, where only its beginning is here. */
  readonly length: number | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const { t, i18n } = useTranslation('logs');
  const number = (value: number): string => value.toLocaleString(i18n.language);
  return (
    <section className={classes['below']} aria-label={t('line', { line: no + 1 })}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={600}>
          {t('line', { line: no + 1 })}
        </Text>
        <CloseButton size="sm" aria-label={t('closeWhole')} onClick={onClose} />
      </Group>
      <pre className={classes['whole']} tabIndex={0}>
        {linePieces(styledText(line), []).map(({ text, style }, i) => (
          <span key={i} className={classOf(style)}>
            {text}
          </span>
        ))}
      </pre>
      {length !== undefined && (
        <Text size="sm">{t('cut', { shown: number(line.length), length: number(length) })}</Text>
      )}
    </section>
  );
}
