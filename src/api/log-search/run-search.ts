import type { InstanceKey } from '../../store/repositories/instance-repository.js';
import { type LogSource, readStoredChunks } from '../../store/repositories/log-repository.js';
import type { Found, LogSearch } from './log-search.js';
import { SearchThread } from './search-thread.js';

/** The first piece is small, so that the first hit is there soon. */
const FIRST_CHUNKS = 4;
const CHUNKS = 48;
/** Pieces (3 MB of text each) that are read ahead of what is searched. */
const AHEAD = 3;
const STEP_MS = 5000;

/**
 * Searches one attempt's log and gives what is found piece by piece, in the order of the lines. The thread
 * ends with the loop over it, also when that is left early.
 */
export async function* runSearch(
  source: LogSource,
  log: { readonly key: InstanceKey; readonly epoch: number },
  search: LogSearch,
  stepMs = STEP_MS,
): AsyncGenerator<Found, void, void> {
  await using thread = new SearchThread(search, stepMs);
  const ahead: Promise<Found>[] = [];
  let after = -1;
  for (let limit = FIRST_CHUNKS; ; limit = CHUNKS) {
    const chunks = await readStoredChunks(source, log.key, log.epoch, { after, limit });
    const last = chunks.at(-1);
    if (last === undefined) break;
    after = last.no;
    ahead.push(thread.scan(chunks));
    if (ahead.length < AHEAD) continue;
    const found = await ahead.shift();
    if (found !== undefined) yield found;
  }
  for (const found of ahead) yield await found;
  yield await thread.end();
}
