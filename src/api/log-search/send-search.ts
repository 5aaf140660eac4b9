import type { InstanceKey } from '../../store/repositories/instance-repository.js';
import { type LogSource, logSize } from '../../store/repositories/log-repository.js';
import { traceIdOf } from '../answer-headers.js';
import type { HttpResponse } from '../http.js';
import { writeTo } from '../log-stream.js';
import { problemOf } from '../problem/problem-of.js';
import type { LogSearch } from './log-search.js';
import { runSearch } from './run-search.js';
import type { SearchGate } from './search-gate.js';

const PROGRESS_MS = 100;

/** Which log (`undefined`: there is no attempt yet), and what to look for in it. */
export interface SearchRequest {
  readonly key: InstanceKey;
  readonly epoch: number | undefined;
  readonly search: LogSearch;
  /** Of the request, for a problem on the way. */
  readonly path: string;
}

/**
 * Answers a search as NDJSON: hits as they are found, how far it is, and how many lines matched in all.
 * Ends when the client is gone.
 */
export async function sendSearch(
  source: LogSource,
  gate: SearchGate,
  response: HttpResponse,
  request: SearchRequest,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.status(200).type('application/x-ndjson; charset=utf-8');
  response.setHeader('X-Accel-Buffering', 'no');
  response.flushHeaders();
  using place = await gate.enter(gone.signal);
  if (place === undefined) return;
  try {
    await searchTo(source, response, request);
  } catch (error) {
    // The status is out: the problem is the last line of the answer.
    const problem = problemOf(error, request.path, traceIdOf(response));
    await writeTo(response, lineOf({ problem }));
  }
  response.end();
}

async function searchTo(
  source: LogSource,
  response: HttpResponse,
  { key, epoch, search }: SearchRequest,
): Promise<void> {
  let count = 0;
  let listed = 0;
  let scannedLines = 0;
  if (epoch !== undefined) {
    const { lines: totalLines } = await logSize(source.database, key, epoch);
    let nextProgress = performance.now();
    for await (const found of runSearch(source, { key, epoch }, search)) {
      count += found.count;
      listed += found.hits.length;
      scannedLines += found.lines;
      await writeTo(response, found.hits.map((hit) => lineOf({ hit })).join(''));
      if (response.destroyed) return;
      if (performance.now() < nextProgress) continue;
      nextProgress = performance.now() + PROGRESS_MS;
      await writeTo(
        response,
        lineOf({ scannedLines, totalLines: Math.max(totalLines, scannedLines) }),
      );
    }
  }
  await writeTo(response, lineOf({ done: true, count, limited: count > listed, scannedLines }));
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
