import { Text, Textarea } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import codeClasses from '../data-sources/text-fields.module.css';
import { type Draft, draftText, parseDraft } from './draft.ts';

const CLASSES = { input: codeClasses['code'] ?? '' };

/** The whole draft as text. Text that is no JSON stays here and is not part of the draft. */
export function DraftJson({
  draft,
  onChange,
  broken,
  onBroken,
  isReadOnly,
}: {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  /** Text that is no draft; kept by the page, so that neither a tab nor a save loses it. */
  readonly broken: string | undefined;
  readonly onBroken: (text: string | undefined) => void;
  readonly isReadOnly: boolean;
}): ReactNode {
  const { t } = useTranslation('workflows');
  const [typed, setTyped] = useState<{ text: string; draft: Draft }>();
  const text = broken ?? (typed?.draft === draft ? typed.text : draftText(draft));
  const parsed = parseDraft(text);
  const change = (next: string): void => {
    const read = parseDraft(next);
    if (!read.ok) return onBroken(next);
    onBroken(undefined);
    setTyped({ text: next, draft: read.draft });
    onChange(read.draft);
  };
  return (
    <>
      <Textarea
        label={t('json.label')}
        classNames={CLASSES}
        value={text}
        autosize
        minRows={16}
        maxRows={40}
        spellCheck={false}
        readOnly={isReadOnly}
        error={parsed.ok ? undefined : t(`json.${parsed.reason}`, { detail: parsed.detail })}
        onChange={(event) => change(event.currentTarget.value)}
      />
      <Text size="xs" c="dimmed" mt={4}>
        {t('json.help')}
      </Text>
    </>
  );
}
