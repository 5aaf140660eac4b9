import { notifications } from '@mantine/notifications';
import { useTranslation } from 'react-i18next';

import { MAX_COPIED, textOfLines } from './copy-lines.ts';
import { hashOf, type LineRange } from './line-range.ts';
import type { LogWindow } from './log-window.ts';

/** Copies the selected lines, or those in view: their text without numbers, or the link to them. */
export function useLogCopy(
  log: LogWindow,
  selected: LineRange | undefined,
  inView: LineRange,
): { readonly lines: () => void; readonly link: () => void } {
  const { t } = useTranslation('logs');
  const range = selected ?? inView;
  const count = range.last - range.first + 1;
  const write = async (text: () => Promise<string>, said: string): Promise<void> => {
    try {
      await navigator.clipboard.writeText(await text());
      notifications.show({ message: said });
    } catch {
      notifications.show({ message: t('notCopied'), color: 'red' });
    }
  };
  return {
    lines: () => {
      if (count > MAX_COPIED) notifications.show({ message: t('tooMuch') });
      else void write(() => textOfLines(log.load, range), t('copied', { count }));
    },
    link: () => {
      const url = new URL(window.location.href);
      url.hash = hashOf(range);
      void write(() => Promise.resolve(url.href), t('linkCopied'));
    },
  };
}
