import { PluginError } from '../error.js';
import type { AttemptIdentity } from '../run.js';
import type { Column, LogicalType, TableSchema } from '../table.js';
import type { WriteContext } from '../writer.js';
import type { AddedColumn } from './table-shape.js';

/** How a table keeps the versions of its rows (a slowly changing dimension of type 2). */
export interface VersionSettings {
  /** Since when a version holds. */
  readonly from: string;
  /** Until when it held, itself excluded. */
  readonly to: string;
  /** Whether it is the one that holds. */
  readonly current?: string | undefined;
  /** What `to` has while it holds, in the target's text form; absent: NULL. */
  readonly open?: string | undefined;
  /** When the rows of this run began to hold, in the target's text form. */
  readonly at?: string | undefined;
  /** What becomes of a version whose key this run did not bring. */
  readonly missing: 'keep' | 'close';
}

/** The same, as this run applies it to its target. */
export interface Versions {
  readonly from: Column;
  readonly to: Column;
  readonly current: Column | undefined;
  readonly open: string | undefined;
  readonly at: string;
  readonly missing: 'keep' | 'close';
}

/** `find` gives the column of that name. Throws MR-D209 for one that cannot say what it has to. */
export function resolveVersions(
  settings: VersionSettings,
  identity: AttemptIdentity,
  find: (name: string) => Column,
): Versions {
  const from = find(settings.from);
  const to = find(settings.to);
  const current = settings.current === undefined ? undefined : find(settings.current);
  const refuse = (reason: string): never => {
    throw new PluginError('MR-D209', `scd2: ${reason}`);
  };
  if (from.type.kind !== to.type.kind) {
    refuse(`${from.name} is a ${from.type.kind} and ${to.name} a ${to.type.kind}`);
  }
  if (settings.open === undefined && !to.nullable) {
    refuse(
      `${to.name} is NOT NULL: name in \`versions.open\` what it has while a version holds, e.g. 9999-12-31`,
    );
  }
  if (current !== undefined && !['boolean', 'integer'].includes(current.type.kind)) {
    refuse(`${current.name} is a ${current.nativeType}, neither a boolean nor an integer`);
  }
  const at =
    settings.at ??
    timeOf(from, identity) ??
    refuse(`${from.name} is a ${from.nativeType}: name the time of a run in \`versions.at\``);
  return { from, to, current, open: settings.open, at, missing: settings.missing };
}

/** The columns are filled by the writer, so that nothing can be mapped to them. */
export function withVersions(schema: TableSchema, versions: Versions | undefined): TableSchema {
  if (versions === undefined) return schema;
  const filled = versionColumns(versions).map(({ name }) => name);
  const columns = schema.columns.map((column) =>
    filled.includes(column.name) ? { ...column, generated: true } : column,
  );
  return { ...schema, columns };
}

export function versionColumns({ from, to, current }: Versions): readonly Column[] {
  return current === undefined ? [from, to] : [from, to, current];
}

/** Says it where versions of missing keys stay open: a dirty row may have had any of the keys. */
export function warnOfOpenVersions(
  versions: Versions | undefined,
  ctx: Pick<WriteContext, 'log' | 'rowsDirty'>,
): void {
  const dirty = ctx.rowsDirty();
  if (versions?.missing !== 'close' || dirty === 0) return;
  const why = `${dirty} rows are dirty, so nobody knows which keys are missing`;
  ctx.log.warn(`No version was closed for a missing key: ${why}.`);
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** What a table needs for the versions of its rows; a key has one version at a time. */
export function addedVersionColumns(settings: VersionSettings | undefined): readonly AddedColumn[] {
  if (settings === undefined) return [];
  const { from, to, current, open, at } = settings;
  const type: LogicalType =
    at !== undefined && DATE.test(at)
      ? { kind: 'date' }
      : { kind: 'timestamp', fraction: 6, zoned: false };
  return [
    { name: from, type, nullable: false, inKey: true },
    { name: to, type, nullable: open === undefined, inKey: false },
    ...(current === undefined
      ? []
      : [{ name: current, type: { kind: 'boolean' } as const, nullable: false, inKey: false }]),
  ];
}

/** In UTC, as every time that is written without its zone. */
function timeOf({ type }: Column, { bizdate, scheduledTime }: AttemptIdentity): string | undefined {
  if (type.kind === 'date') return bizdate;
  if (type.kind !== 'timestamp') return undefined;
  return new Date(scheduledTime)
    .toISOString()
    .replace('T', ' ')
    .replace(/(?:\.000)?Z$/, '');
}
