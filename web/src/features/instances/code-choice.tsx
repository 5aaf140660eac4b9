import { Radio, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { CodeDifference } from './code-difference.tsx';
import { type Asked, RERUN_CODES, type RerunCode } from './operations.ts';

/** Of which version a rerun takes code and configuration, and for one instance how they differ. */
export function CodeChoice({
  ids,
  changed,
  value,
  onChange,
}: Pick<Asked, 'ids'> & {
  /** How many of what runs again were planned with other code. */
  readonly changed: number;
  readonly value: RerunCode;
  readonly onChange: (code: RerunCode) => void;
}): ReactNode {
  const { t } = useTranslation('instances');
  const [only, ...others] = ids;
  return (
    <Stack gap="xs" data-testid="code-choice">
      <Radio.Group
        label={t('code.label')}
        description={t('code.changed', { count: changed })}
        value={value}
        onChange={(next) => {
          const chosen = RERUN_CODES.find((each) => each === next);
          if (chosen !== undefined) onChange(chosen);
        }}
      >
        <Stack gap={6} mt="xs">
          {RERUN_CODES.map((code) => (
            <Radio
              key={code}
              value={code}
              label={t(`code.${code}`)}
              description={t(`code.${code}Hint`)}
            />
          ))}
        </Stack>
      </Radio.Group>
      {only !== undefined && others.length === 0 && <CodeDifference id={only} />}
    </Stack>
  );
}
