import { Textarea } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './text-fields.module.css';

/** What every field of a form has. */
export interface SharedProps {
  readonly label: string;
  readonly description: ReactNode;
  readonly error: string | undefined;
  readonly required: boolean;
  readonly readOnly: boolean;
  readonly placeholder: string | undefined;
}

const CLASSES = { input: classes['code'] ?? '' };

/** Code, as it is: SQL, scripts, certificates. */
export function CodeField({
  value,
  onChange,
  ...shared
}: SharedProps & {
  readonly value: string;
  readonly onChange: (value: unknown) => void;
}): ReactNode {
  return (
    <Textarea
      {...shared}
      classNames={CLASSES}
      value={value}
      autosize
      minRows={4}
      maxRows={24}
      spellCheck={false}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** A value that has no field of its own, as JSON. What cannot be read is not passed on. */
export function JsonField({
  value,
  onChange,
  error,
  ...shared
}: SharedProps & {
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}): ReactNode {
  const { t } = useTranslation('data-sources');
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, null, 2));
  const [isBroken, setBroken] = useState(false);
  const change = (next: string): void => {
    setText(next);
    try {
      onChange(next.trim() === '' ? undefined : JSON.parse(next));
      setBroken(false);
    } catch {
      setBroken(true);
    }
  };
  return (
    <Textarea
      {...shared}
      error={isBroken ? t('form.notJson') : error}
      classNames={CLASSES}
      value={text}
      autosize
      minRows={2}
      maxRows={24}
      spellCheck={false}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}
