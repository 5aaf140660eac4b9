import { gramBitsOf } from '../../domain/log/gram-filter.js';
import type { InstanceKey } from '../../store/repositories/instance-repository.js';
import {
  type ChunkMark,
  type LogSource,
  readChunkMarks,
  readStoredChunks,
} from '../../store/repositories/log-repository.js';
import { type Found, type LogSearch, needleOf } from './log-search.js';
import type { ToSearch } from './search-protocol.js';
import { searchRanges } from './search-ranges.js';
import { SearchThread } from './search-thread.js';

/** The first piece is small, so that the first hit is there soon. */
const FIRST_CHUNKS = 4;
const CHUNKS = 48;
/** Pieces (3 MB of text each) that are read ahead of what is searched. */
const AHEAD = 3;
const STEP_MS = 5000;

interface SearchedLog {
  readonly key: InstanceKey;
  readonly epoch: number;
}

/**
 * Searches one attempt's log and gives what is found piece by piece, in the order of the lines. The thread
 * ends with the loop over it, also when that is left early.
 */
export async function* runSearch(
  source: LogSource,
  log: SearchedLog,
  search: LogSearch,
  stepMs = STEP_MS,
): AsyncGenerator<Found, void, void> {
  await using thread = new SearchThread(search, stepMs);
  const ahead: Promise<Found>[] = [];
  for await (const piece of piecesOf(source, log, needleOf(search))) {
    ahead.push(thread.ask(piece));
    if (ahead.length < AHEAD) continue;
    const found = await ahead.shift();
    if (found !== undefined) yield found;
  }
  for (const found of ahead) yield await found;
}

/** The log in its order, its beginning at once; chunks that cannot hold what is looked for are skipped. */
async function* piecesOf(
  source: LogSource,
  { key, epoch }: SearchedLog,
  needle: Buffer | undefined,
): AsyncGenerator<ToSearch, void, void> {
  const marking = needle === undefined ? [] : marksOf(source, { key, epoch }, gramBitsOf(needle));
  const first = await readStoredChunks(source, key, epoch, { after: -1, limit: FIRST_CHUNKS });
  yield { kind: 'chunks', chunks: first };
  const end = first.at(-1)?.no ?? -1;
  const marks = (await marking).filter(({ no }) => no > end);
  // What the log has grown by meanwhile comes last.
  const ranges = [...searchRanges(marks), { after: marks.at(-1)?.no ?? end, skipped: 0 }];
  for (const { skipped, ...range } of ranges) {
    if (skipped > 0) yield { kind: 'skip', lines: skipped };
    for (let { after } = range; ;) {
      const chunks = await readStoredChunks(source, key, epoch, { ...range, after, limit: CHUNKS });
      const last = chunks.at(-1);
      if (last === undefined) break;
      after = last.no;
      yield { kind: 'chunks', chunks };
    }
  }
  yield { kind: 'end' };
}

function marksOf(
  { database }: LogSource,
  { key, epoch }: SearchedLog,
  bits: readonly number[],
): Promise<ChunkMark[]> | [] {
  if (bits.length === 0) return [];
  const marks = readChunkMarks(database, key, epoch, bits);
  // Whoever searches may be gone before they are there.
  marks.catch(() => undefined);
  return marks;
}
