import filePlugin from '../../../plugins/file/src/index.ts';
import mysqlPlugin from '../../../plugins/mysql/src/index.ts';
import postgresPlugin from '../../../plugins/postgres/src/index.ts';

import { runSyncJob } from '../../../src/dataplane/sync-job.ts';
import { LINEITEM } from './lineitem.mjs';

const PLUGINS = { file: filePlugin, mysql: mysqlPlugin, postgres: postgresPlugin };
let runs = 0;

/** One sync as a worker runs it, ledger, quarantine and limits on; gives its result and its log. */
export async function runOurs(from, to, channels = 1) {
  const log = [];
  const note = (text) => log.push(text);
  const number = ++runs;
  const reader = PLUGINS[from.kind].readers[0];
  const writer = PLUGINS[to.kind].writers[0];
  const source = { table: LINEITEM.source };
  const result = await runSyncJob({
    reader,
    readerConfig: parse(reader, from.kind === 'file' ? from.reader : source),
    source: resolved(from),
    writer,
    writerConfig: parse(writer, { table: LINEITEM.target, mode: 'append' }),
    target: resolved(to),
    channel: { concurrency: channels, dirtyLimit: { records: 0 } },
    context: {
      identity: {
        installation: 'bench',
        nodeId: 'bench',
        nodeName: 'bench',
        instanceId: `bench${number}`,
        runNumber: 1,
        attempt: 1,
        fence: String(number),
        scheduledTime: `2026-03-02T00:00:${String(number % 60).padStart(2, '0')}Z`,
        bizdate: '2026-03-01',
      },
      parameters: {},
      log: { info: note, warn: note, error: note, write: () => undefined },
      signal: new AbortController().signal,
      progress: () => undefined,
      crashPoint: async () => undefined,
    },
    onDirty: () => undefined,
  });
  return { ...result, log };
}

function parse(plugin, config) {
  const result = plugin.config['~standard'].validate(config);
  if (result.issues) throw new Error(JSON.stringify(result.issues));
  return result.value;
}

function resolved(end) {
  const { host, port, user, password, kind } = end;
  const type = PLUGINS[kind].dataSources[0];
  const raw =
    kind === 'file'
      ? { root: end.root }
      : { host, port, user, password, database: LINEITEM.database, tls: { mode: 'off' } };
  return { name: kind, type: kind, config: parse(type, raw) };
}
