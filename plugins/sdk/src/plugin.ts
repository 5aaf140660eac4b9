import type { DataSourceType } from './data-source.js';
import type { NodeType } from './node-type.js';
import type { ReaderPlugin } from './reader.js';
import type { WriterPlugin } from './writer.js';

/** The version of this interface. A plugin states the range it was written for. */
export const SDK_VERSION = '0.1.0';

export interface Plugin {
  /** The npm package's name. */
  readonly name: string;
  readonly version: string;
  /** The range of {@link SDK_VERSION} it works with, as npm writes ranges: `^0.1.0`. */
  readonly sdk: string;
  readonly title: string;
  /** Holds native code: it always runs in a process of its own. */
  readonly native?: boolean;
  readonly dataSources?: readonly DataSourceType[];
  readonly readers?: readonly ReaderPlugin[];
  readonly writers?: readonly WriterPlugin[];
  readonly nodes?: readonly NodeType[];
}

/** Makes the object a plugin package exports as default. Loading it must open nothing and import its driver lazily. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin;
}

// `never` as the stored parameter type is what lets a plugin list types of different configurations:
// the host validates against the schema before it calls.
export function defineDataSource<C>(type: DataSourceType<C>): DataSourceType {
  return type as unknown as DataSourceType;
}

export function defineReader<C, S>(reader: ReaderPlugin<C, S>): ReaderPlugin {
  return reader as unknown as ReaderPlugin;
}

export function defineWriter<C, S>(writer: WriterPlugin<C, S>): WriterPlugin {
  return writer as unknown as WriterPlugin;
}

export function defineNode<C>(node: NodeType<C>): NodeType {
  return node as unknown as NodeType;
}
