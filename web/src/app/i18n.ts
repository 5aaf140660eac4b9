import i18next, { type BackendModule } from 'i18next';
import { initReactI18next } from 'react-i18next';

export const LANGUAGES = ['en', 'zh-CN'] as const;
export type Language = (typeof LANGUAGES)[number];

const LANGUAGE_KEY = 'millrace-language';

/** `/src/features/timeline/locales/en.json` is the namespace `timeline`; each is a chunk of its own. */
const files = import.meta.glob<{ default: Record<string, unknown> }>('/src/**/locales/*.json');
const byName = new Map(
  Object.entries(files).map(([path, load]) => {
    const parts = path.split('/');
    const language = parts.at(-1)?.replace('.json', '');
    return [`${language}/${parts.at(-3)}`, load];
  }),
);

const chunks: BackendModule = {
  type: 'backend',
  init: () => undefined,
  read: (language, namespace, callback) => {
    const load = byName.get(`${language}/${namespace}`);
    // English error texts come from the server: only translations of them are here.
    if (load === undefined) {
      callback(null, {});
      return;
    }
    load().then(
      ({ default: texts }) => callback(null, texts),
      (error: unknown) => callback(error instanceof Error ? error : String(error), null),
    );
  },
};

function initialLanguage(): Language {
  const chosen = localStorage.getItem(LANGUAGE_KEY) ?? navigator.language;
  return chosen.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

export async function startI18n(): Promise<void> {
  i18next.on('languageChanged', (language) => {
    document.documentElement.lang = language;
    localStorage.setItem(LANGUAGE_KEY, language);
  });
  await i18next
    .use(chunks)
    .use(initReactI18next)
    .init({
      lng: initialLanguage(),
      supportedLngs: LANGUAGES,
      fallbackLng: 'en',
      ns: ['app', 'ui'],
      defaultNS: 'app',
      interpolation: { escapeValue: false },
    });
}
