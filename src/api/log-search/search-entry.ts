import { parentPort, workerData } from 'node:worker_threads';

import { unzipped } from '../../store/repositories/log-repository.js';
import type { Found, LogSearch } from './log-search.js';
import { LogScanner } from './log-scanner.js';
import type { FromSearch, ToSearch } from './search-protocol.js';

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a search thread');

const scanner = new LogScanner(workerData as LogSearch);
let turn: Promise<void> = Promise.resolve();

port.on('message', (message: ToSearch) => {
  // Begun at once, in libuv's threads: what comes next is unzipped while this thread searches.
  const texts =
    message.kind === 'chunks' ? Promise.allSettled(message.chunks.map(unzipped)) : undefined;
  turn = turn.then(async () => {
    try {
      answer({ kind: 'found', found: scanOf(message, await texts) });
    } catch (error) {
      answer({ kind: 'failed', detail: error instanceof Error ? error.message : String(error) });
    }
  });
});

function scanOf(
  message: ToSearch,
  texts: readonly PromiseSettledResult<Buffer>[] | undefined,
): Found {
  if (message.kind === 'skip') return scanner.skip(message.lines);
  if (message.kind === 'end' || texts === undefined) return scanner.end();
  const pieces = texts.map((text) => {
    if (text.status === 'rejected') throw text.reason;
    return text.value;
  });
  return scanner.scan(
    pieces,
    message.chunks.reduce((sum, chunk) => sum + chunk.lineCount, 0),
  );
}

function answer(message: FromSearch): void {
  port?.postMessage(message);
}
