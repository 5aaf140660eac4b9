import { TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { lengthOf } from './json-schema.ts';

export const MAX_DESCRIPTION = 80;

/** The description of a data source, counted as the database counts it. */
export function DescriptionField({
  value,
  onChange,
  isReadOnly = false,
}: {
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly isReadOnly?: boolean;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const length = lengthOf(value);
  return (
    <TextInput
      label={t('form.description')}
      description={t('form.counted', { length, most: MAX_DESCRIPTION })}
      value={value}
      readOnly={isReadOnly}
      error={length > MAX_DESCRIPTION ? t('form.tooLong', { most: MAX_DESCRIPTION }) : undefined}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
