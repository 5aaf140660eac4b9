import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { $api } from '../../api/client.ts';
import { type FieldSchema, isConfig } from './json-schema.ts';

/** A kind of data source or of node that a plugin brings. */
export interface PluginType {
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly configSchema: FieldSchema;
  readonly canBrowse: boolean;
  readonly canParseUrl: boolean;
  readonly examples: readonly unknown[];
}

/** The types of all loaded plugins, in the language of the reader; `undefined` until they are there. */
export function usePluginTypes(): {
  readonly dataSources: readonly PluginType[] | undefined;
  readonly nodes: readonly PluginType[] | undefined;
  readonly error: unknown;
} {
  const { data, error } = $api.useQuery('get', '/api/v1/plugins', {}, { staleTime: Infinity });
  const { i18n } = useTranslation('plugin-texts');
  const { language } = i18n;
  return useMemo(() => {
    const texts: unknown = i18n.getResourceBundle(language, 'plugin-texts');
    const typesOf = (key: string): readonly PluginType[] | undefined =>
      data?.items.flatMap((plugin) => {
        const list: unknown = plugin[key];
        return Array.isArray(list)
          ? list.flatMap((raw) => readType(inLanguage(raw, isConfig(texts) ? texts : {})))
          : [];
      });
    return { dataSources: typesOf('dataSources'), nodes: typesOf('nodes'), error };
  }, [data, error, i18n, language]);
}

/**
 * A plugin speaks English; what the console knows in the reader's language takes its place: titles and
 * descriptions, by the text itself.
 */
function inLanguage(raw: unknown, texts: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(raw)) return raw.map((each) => inLanguage(each, texts));
  if (!isConfig(raw)) return raw;
  return Object.fromEntries(
    Object.entries(raw).map(([key, value]) => {
      if (key === 'examples' || key === 'default') return [key, value];
      if ((key === 'title' || key === 'description') && typeof value === 'string')
        return [key, texts[value] ?? value];
      return [key, inLanguage(value, texts)];
    }),
  );
}

function readType(raw: unknown): readonly PluginType[] {
  if (!isConfig(raw) || typeof raw['type'] !== 'string' || !isConfig(raw['configSchema']))
    return [];
  return [
    {
      type: raw['type'],
      title: typeof raw['title'] === 'string' ? raw['title'] : raw['type'],
      description: typeof raw['description'] === 'string' ? raw['description'] : '',
      configSchema: raw['configSchema'] as FieldSchema,
      canBrowse: raw['canBrowse'] === true,
      canParseUrl: raw['canParseUrl'] === true,
      examples: Array.isArray(raw['examples']) ? raw['examples'] : [],
    },
  ];
}
