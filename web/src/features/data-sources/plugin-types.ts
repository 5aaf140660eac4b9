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

/** The types of all loaded plugins; `undefined` until they are there. */
export function usePluginTypes(): {
  readonly dataSources: readonly PluginType[] | undefined;
  readonly nodes: readonly PluginType[] | undefined;
  readonly error: unknown;
} {
  const { data, error } = $api.useQuery('get', '/api/v1/plugins', {}, { staleTime: Infinity });
  const typesOf = (key: string): readonly PluginType[] | undefined =>
    data?.items.flatMap((plugin) => {
      const list: unknown = plugin[key];
      return Array.isArray(list) ? list.flatMap(readType) : [];
    });
  return { dataSources: typesOf('dataSources'), nodes: typesOf('nodes'), error };
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
