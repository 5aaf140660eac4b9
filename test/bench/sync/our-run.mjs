import { runSync } from '../../support/sync.ts';
import { LINEITEM } from './lineitem.mjs';

let runs = 0;

/** One sync as a worker runs it, ledger, quarantine and limits on. */
export async function runOurs(from, to, { database = LINEITEM.database, ...channel } = {}) {
  const number = String(++runs);
  return await runSync({
    from: endOf(from, database),
    to: endOf(to, database),
    reader: from.reader ?? { table: LINEITEM.source },
    writer: to.writer ?? { table: LINEITEM.target, mode: 'append' },
    channel,
    identity: { installation: 'bench', nodeId: number, instanceId: `bench${number}` },
  });
}

function endOf(end, database) {
  if (end.kind === 'file') return end;
  return { kind: end.kind, server: end, database };
}
