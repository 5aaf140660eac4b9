import { readFile } from 'node:fs/promises';

import type { Cell, JobContext, ReaderPlugin } from '@millrace/sdk';

import { parseConfig } from '../../plugin-host/config-fields.js';
import { PluginHost } from '../../plugin-host/plugin-host.js';
import type { SampleDatabase } from '../sample-target.js';
import { BIRDSTRIKE_COLUMNS, RECORD_COLUMNS } from './sample-tables.js';

export type ResultRow = readonly string[];

/** The rows a business date must have in the target: worked out from the file, past the product. */
export async function expectedRows(file: string, bizdate: string): Promise<ResultRow[]> {
  const [header = '', ...lines] = (await readFile(file, 'utf8')).trimEnd().split(/\r?\n/);
  // No record of this file holds a quote, so a comma always separates; counted, not believed.
  const names = header.split(',');
  const places = BIRDSTRIKE_COLUMNS.map(([from]) => names.indexOf(from));
  const dateAt = names.indexOf('Flight Date');
  const ds = bizdate.replaceAll('-', '');
  const rows: ResultRow[] = [];
  for (const line of lines) {
    const cells = line.split(',');
    if (cells.length !== names.length || line.includes('"')) {
      throw new Error(`The sample's file has a line of another form: ${line}`);
    }
    if (cells[dateAt]?.slice(5) === bizdate.slice(5)) {
      rows.push([ds, ...places.map((at) => cells[at] ?? '')]);
    }
  }
  return rows.sort(compareRows);
}

/** What is in the target for a business date, read with the reader of its own plugin. */
export async function targetRows(target: SampleDatabase, bizdate: string): Promise<ResultRow[]> {
  const { kind, host, port, user, password, database } = target;
  const plugins = await PluginHost.open([]);
  const config = await parseConfig(
    plugins.schemaOf('dataSource', kind),
    { host, port, user, password, database, tls: { mode: 'off' } },
    'sample_target',
  );
  const dataSource = { name: 'sample_target', type: kind, config };
  return await readRows(plugins.reader(kind), dataSource, bizdate);
}

async function readRows(
  reader: ReaderPlugin,
  dataSource: JobContext['dataSource'],
  bizdate: string,
): Promise<ResultRow[]> {
  const ds = bizdate.replaceAll('-', '');
  const signal = new AbortController().signal;
  const config = await parseConfig(
    reader.config,
    { table: 'odps_result', columns: ['ds', ...RECORD_COLUMNS], where: `ds = '${ds}'` },
    'odps_result',
  );
  const job = await reader.open(config as never, contextOf(dataSource, bizdate, signal) as never);
  const rows: ResultRow[] = [];
  try {
    await job.describe();
    await job.check();
    const task = await job.open(0);
    for await (const slice of job.slices({ count: 1 })) {
      const sink = {
        lane: 'rows' as const,
        chunkBytes: 1 << 20,
        columns: [],
        write: async (chunk: { lane: string; rows?: readonly (readonly Cell[])[] }) => {
          for (const row of chunk.rows ?? []) rows.push(row.map(String));
        },
      };
      await task.read(slice, sink, signal);
    }
    await task.close();
    await job.close('succeeded');
  } catch (error) {
    await job.close('failed').catch(() => undefined);
    throw error;
  }
  return rows.sort(compareRows);
}

function compareRows(a: ResultRow, b: ResultRow): number {
  const [left, right] = [a.join('\u0000'), b.join('\u0000')];
  return left < right ? -1 : left > right ? 1 : 0;
}

function contextOf(
  dataSource: JobContext['dataSource'],
  bizdate: string,
  signal: AbortSignal,
): JobContext {
  const quiet = (): void => undefined;
  return {
    dataSource,
    signal,
    parameters: {},
    identity: {
      installation: 'check',
      nodeId: '0',
      nodeName: 'check',
      instanceId: '0',
      runNumber: 1,
      attempt: 1,
      fence: '0',
      scheduledTime: `${bizdate}T00:00:00Z`,
      bizdate,
    },
    log: { info: quiet, warn: quiet, error: quiet, write: quiet },
    progress: quiet,
    crashPoint: () => Promise.resolve(),
  };
}
