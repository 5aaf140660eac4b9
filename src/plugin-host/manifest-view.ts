import type { ConfigSchema, NodeType, Plugin, WriteMode } from '@millrace/sdk';
import { annotatedFields, inputSchemaOf } from './json-schema.js';
import type { JsonSchema } from './json-schema.js';

/** One type of a plugin as forms and references need it: data only. */
export interface TypeManifest {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  /** JSON Schema 2020-12 of the configuration, with `template` and `secret` annotations. */
  readonly configSchema: JsonSchema;
  readonly configVersion: number;
  readonly templateFields: readonly string[];
  readonly secretFields: readonly string[];
  readonly examples: readonly unknown[];
}

export interface PluginManifest {
  readonly name: string;
  readonly version: string;
  readonly title: string;
  /** It runs in a process of its own. */
  readonly isolated: boolean;
  readonly dataSources: readonly (TypeManifest & {
    readonly canBrowse: boolean;
    readonly canParseUrl: boolean;
  })[];
  readonly readers: readonly TypeManifest[];
  readonly writers: readonly (TypeManifest & {
    readonly modes: readonly WriteMode[];
    readonly rerunReplaces: boolean;
  })[];
  readonly nodes: readonly (TypeManifest & { readonly effect: NodeType['effect'] })[];
}

function typeView(type: {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly config: ConfigSchema;
  readonly configVersion: number;
  readonly examples: readonly unknown[];
}): TypeManifest {
  const configSchema = inputSchemaOf(type.config);
  return {
    type: type.type,
    title: type.title,
    ...(type.description === undefined ? {} : { description: type.description }),
    configSchema,
    configVersion: type.configVersion,
    templateFields: annotatedFields(configSchema, 'template'),
    secretFields: annotatedFields(configSchema, 'secret'),
    examples: type.examples,
  };
}

/** A plugin without its functions. */
export function manifestView(plugin: Plugin, isolated: boolean): PluginManifest {
  return {
    name: plugin.name,
    version: plugin.version,
    title: plugin.title,
    isolated,
    dataSources: (plugin.dataSources ?? []).map((type) => ({
      ...typeView(type),
      canBrowse: type.browse !== undefined,
      canParseUrl: type.parseUrl !== undefined,
    })),
    readers: (plugin.readers ?? []).map(typeView),
    writers: (plugin.writers ?? []).map((type) => ({
      ...typeView(type),
      modes: type.modes,
      rerunReplaces: type.rerunReplaces === true || !type.modes.includes('append'),
    })),
    nodes: (plugin.nodes ?? []).map((type) => ({ ...typeView(type), effect: type.effect })),
  };
}
