import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type {
  ConfigSchema,
  DataSourceType,
  NodeType,
  Plugin,
  ReaderPlugin,
  WriterPlugin,
} from '@millrace/sdk';
import type { RegisteredCode } from '../domain/error-registry.js';
import type { FieldError } from '../domain/errors.js';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import { configErrors } from './config-fields.js';
import { isRecord } from './json-schema.js';
import { pluginEntry } from './plugin-location.js';
import { checkedPlugin } from './plugin-manifest.js';
import { manifestView } from './manifest-view.js';
import type { PluginManifest } from './manifest-view.js';
import type { SyncConfig } from './sync-config.js';
import { syncSchema } from './sync-config.js';

/** By package name, in the order they are registered. They are part of the build, not looked for. */
const BUILT_IN: Readonly<Record<string, () => Promise<unknown>>> = {
  '@millrace/plugin-virtual': () => import('@millrace/plugin-virtual'),
  '@millrace/plugin-shell': () => import('@millrace/plugin-shell'),
  '@millrace/plugin-file': () => import('@millrace/plugin-file'),
  '@millrace/plugin-postgres': () => import('@millrace/plugin-postgres'),
  '@millrace/plugin-mysql': () => import('@millrace/plugin-mysql'),
};

export const BUILT_IN_PLUGINS: readonly string[] = Object.keys(BUILT_IN);

/** Loads the built-in plugins ahead of {@link PluginHost.open}. */
export async function loadBuiltIns(): Promise<void> {
  await Promise.all(Object.values(BUILT_IN).map(async (load) => await load()));
}

/** How an attempt finds a plugin again, in its own thread or process. */
export interface PluginRef {
  readonly name: string;
  /** What to load it by: a package name or an absolute path. */
  readonly specifier: string;
  /** Third-party or native: it runs in a process of its own (engine rule 20). */
  readonly isolated: boolean;
}

export interface RefusedPlugin {
  readonly specifier: string;
  readonly code: RegisteredCode;
  readonly detail: string;
}

export type ConfigKind = 'dataSource' | 'reader' | 'writer' | 'node';

/** The node type that the data plane itself provides; no plugin may take its name. */
export const SYNC_NODE_TYPE = 'sync';

type AnyType = DataSourceType | ReaderPlugin | WriterPlugin | NodeType;

interface Owned<T> {
  readonly value: T;
  readonly ref: PluginRef;
}

interface Registry {
  readonly dataSource: Map<string, Owned<DataSourceType>>;
  readonly reader: Map<string, Owned<ReaderPlugin>>;
  readonly writer: Map<string, Owned<WriterPlugin>>;
  readonly node: Map<string, Owned<NodeType>>;
}

const KIND_TITLES: Readonly<Record<ConfigKind, string>> = {
  dataSource: 'data source type',
  reader: 'reader for data source type',
  writer: 'writer for data source type',
  node: 'node type',
};

export interface PluginHostOptions {
  /** What to load, in order; an earlier plugin wins over a later one with the same type. */
  readonly plugins: readonly { readonly specifier: string; readonly builtIn: boolean }[];
  /** Where package names are looked for, besides Millrace's own dependencies. */
  readonly folders?: readonly string[];
}

/** Finds, checks and registers plugins. A refused one is listed and never stops the others. */
export class PluginHost {
  readonly #registry: Registry = {
    dataSource: new Map(),
    reader: new Map(),
    writer: new Map(),
    node: new Map(),
  };
  readonly #plugins: Owned<Plugin>[] = [];
  readonly #refused: RefusedPlugin[] = [];

  private constructor() {}

  /** The built-in plugins, then those that the configuration names. */
  static open(named: readonly string[], folders?: readonly string[]): Promise<PluginHost> {
    return PluginHost.load({
      plugins: [
        ...BUILT_IN_PLUGINS.map((specifier) => ({ specifier, builtIn: true })),
        ...named.map((specifier) => ({ specifier, builtIn: false })),
      ],
      ...(folders ? { folders } : {}),
    });
  }

  static async load(options: PluginHostOptions): Promise<PluginHost> {
    const host = new PluginHost();
    const folders = [...(options.folders ?? []), dirname(fileURLToPath(import.meta.url))];
    for (const { specifier, builtIn } of options.plugins) {
      try {
        const plugin = await importPlugin(specifier, folders);
        host.#register(plugin, {
          name: plugin.name,
          specifier,
          isolated: !builtIn || plugin.native === true,
        });
      } catch (error) {
        host.#refused.push(refusal(specifier, error));
      }
    }
    return host;
  }

  /** What was not registered, and why. */
  get refused(): readonly RefusedPlugin[] {
    return this.#refused;
  }

  /** In the order they are registered. */
  versions(): { readonly name: string; readonly version: string }[] {
    return this.#plugins.map(({ value: { name, version } }) => ({ name, version }));
  }

  /** Everything that forms and references need; no functions. Makes every schema anew: not for hot paths. */
  manifests(): readonly PluginManifest[] {
    return this.#plugins.map(({ value, ref }) => manifestView(value, ref.isolated));
  }

  dataSource(type: string): DataSourceType {
    return lookUp(this.#registry.dataSource, 'dataSource', type).value;
  }

  reader(dataSourceType: string): ReaderPlugin {
    return lookUp(this.#registry.reader, 'reader', dataSourceType).value;
  }

  writer(dataSourceType: string): WriterPlugin {
    return lookUp(this.#registry.writer, 'writer', dataSourceType).value;
  }

  /** A plugin's node type; `sync` is not one: see {@link syncSchema}. */
  node(type: string): NodeType {
    return lookUp(this.#registry.node, 'node', type).value;
  }

  has(kind: ConfigKind, type: string): boolean {
    return this.#registry[kind].has(type);
  }

  types(kind: ConfigKind): readonly string[] {
    return [...this.#registry[kind].keys()];
  }

  schemaOf(kind: ConfigKind, type: string): ConfigSchema {
    return this.#find(kind, type).value.config;
  }

  /** The schema of a sync node from one type of data source to another, with all annotations. */
  syncSchema(sourceType: string, targetType: string): ConfigSchema<SyncConfig> {
    return syncSchema(this.reader(sourceType), this.writer(targetType));
  }

  /** What is wrong with a configuration, field by field; MR-S102 for an unknown type. */
  validateConfig(kind: ConfigKind, type: string, config: unknown): Promise<readonly FieldError[]> {
    return configErrors(this.schemaOf(kind, type), config);
  }

  /** Lifts a stored configuration of an older version to the present one. */
  upgradeConfig(kind: ConfigKind, type: string, config: unknown, from: number): unknown {
    const { value } = this.#find(kind, type);
    return from < value.configVersion && value.upgrade ? value.upgrade(config, from) : config;
  }

  /** The plugins an attempt needs that uses these types, each once. */
  pluginsOf(
    uses: readonly { readonly kind: ConfigKind; readonly type: string }[],
  ): readonly PluginRef[] {
    const refs = uses.map(({ kind, type }) => this.#find(kind, type).ref);
    return [...new Map(refs.map((ref) => [ref.name, ref])).values()];
  }

  #find(kind: ConfigKind, type: string): Owned<AnyType> {
    return lookUp<AnyType>(this.#registry[kind], kind, type);
  }

  #register(plugin: Plugin, ref: PluginRef): void {
    const additions: readonly { kind: ConfigKind; types: readonly AnyType[] }[] = [
      { kind: 'dataSource', types: plugin.dataSources ?? [] },
      { kind: 'reader', types: plugin.readers ?? [] },
      { kind: 'writer', types: plugin.writers ?? [] },
      { kind: 'node', types: plugin.nodes ?? [] },
    ];
    const taken = additions.flatMap(({ kind, types }) =>
      types.map(({ type }, i) => this.#conflictOf(plugin, kind, type, types, i)),
    );
    const conflict = taken.find((text) => text !== undefined);
    if (conflict !== undefined) throw new MillraceError('MR-P101', conflict);
    const add = <T extends AnyType>(
      map: Map<string, Owned<T>>,
      values: readonly T[] = [],
    ): void => {
      for (const value of values) map.set(value.type, { value, ref });
    };
    add(this.#registry.dataSource, plugin.dataSources);
    add(this.#registry.reader, plugin.readers);
    add(this.#registry.writer, plugin.writers);
    add(this.#registry.node, plugin.nodes);
    this.#plugins.push({ value: plugin, ref });
  }

  #conflictOf(
    plugin: Plugin,
    kind: ConfigKind,
    type: string,
    own: readonly AnyType[],
    index: number,
  ): string | undefined {
    const title = `${KIND_TITLES[kind]} "${type}"`;
    const owner = this.#registry[kind].get(type);
    if (owner !== undefined) return `${plugin.name}: ${owner.ref.name} has the ${title} already`;
    if (own.findIndex((other) => other.type === type) !== index) {
      return `${plugin.name} has the ${title} twice`;
    }
    if (kind === 'node' && type === SYNC_NODE_TYPE) {
      return `${plugin.name}: the ${title} is Millrace's own`;
    }
    return undefined;
  }
}

function lookUp<T>(map: ReadonlyMap<string, Owned<T>>, kind: ConfigKind, type: string): Owned<T> {
  const found = map.get(type);
  if (found !== undefined) return found;
  const known = [...map.keys()].toSorted().join(', ') || 'none';
  throw new MillraceError(
    'MR-S102',
    `no plugin has the ${KIND_TITLES[kind]} "${type}"; known: ${known}`,
  );
}

async function importPlugin(specifier: string, folders: readonly string[]): Promise<Plugin> {
  const load = BUILT_IN[specifier] ?? fromFile(await pluginEntry(specifier, folders));
  let loaded: unknown;
  try {
    loaded = await load();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MillraceError('MR-P107', `${specifier}: ${reason}`, { cause: error });
  }
  return checkedPlugin(isRecord(loaded) ? loaded['default'] : undefined, specifier);
}

function fromFile(path: string): () => Promise<unknown> {
  return async () => (await import(pathToFileURL(path).href)) as unknown;
}

function refusal(specifier: string, error: unknown): RefusedPlugin {
  if (error instanceof MillraceError) {
    return { specifier, code: error.code, detail: error.detail };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return { specifier, code: registeredCodeOf(error) ?? 'MR-P107', detail };
}
