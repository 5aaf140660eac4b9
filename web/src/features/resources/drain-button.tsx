import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

/** Gives a worker or a resource group nothing new, or undoes that. */
export function DrainButton({
  name,
  isDraining,
  isPending,
  onChange,
}: {
  readonly name: string;
  readonly isDraining: boolean;
  readonly isPending: boolean;
  readonly onChange: (draining: boolean) => void;
}): ReactNode {
  const { t } = useTranslation('resources');
  const text = t(isDraining ? 'undrain' : 'drain');
  return (
    <Button
      size="xs"
      variant="default"
      aria-label={`${text}: ${name}`}
      loading={isPending}
      onClick={() => onChange(!isDraining)}
    >
      {text}
    </Button>
  );
}
