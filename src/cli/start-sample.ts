import { z } from 'zod';

import { lastBizdate } from '../domain/calendar/bizdate.js';
import { MillraceError } from '../domain/errors.js';
import { FIX_ME_WORKFLOW, SAMPLE_WORKSPACE } from '../domain/sample-names.js';
import { startFixMe } from '../embedded/sample/run-fix-me.js';
import {
  copySampleFile,
  type SampleApi,
  seedSample,
  startSampleHistory,
  startSampleRun,
} from '../embedded/sample/run-sample.js';
import { expectedRows, type ResultRow, targetRows } from '../embedded/sample/sample-check.js';
import { RECORD_COLUMNS } from '../embedded/sample/sample-tables.js';
import type { SampleDatabase, SampleTarget } from '../embedded/sample-target.js';
import type { ApiClient } from './api/api-client.js';
import { CliError } from './cli-error.js';
import { EXIT } from './exit-code.js';
import type { CliIo } from './io.js';
import { renderTable } from './output/table.js';
import { hasSucceeded, type Run, watchRun } from './run-watch.js';
import { secondsSinceCommand } from './seconds-since-command.js';

const SHOWN_ROWS = 10;
/** Few and short enough for a terminal of 100 columns. */
const SHOWN_COLUMNS = ['ds', 'flight_date', 'airport', 'aircraft', 'species'];
const SHOWN_CHARACTERS = 24;
const RUN_TIMEOUT_SECONDS = 300;

export interface SampleStart {
  readonly api: ApiClient;
  /** Where a browser finds the pages. */
  readonly url: string;
  readonly dataDir: string;
  readonly warehouse: SampleDatabase;
  readonly target: SampleTarget;
  readonly io: CliIo;
  /** Aborts when nobody waits for the sample any more. */
  readonly signal: AbortSignal;
}

/**
 * Makes the sample where it is missing, runs it for the last business date, prints what arrived in the
 * target, and asks for the history once. True when the rows are those of the file.
 */
export async function runSample(start: SampleStart): Promise<boolean> {
  const { api, dataDir, warehouse, target, io, signal } = start;
  const file = await copySampleFile(dataDir);
  const seeding = seedApi(api);
  const workflowId = await seedSample(seeding, dataDir, warehouse, target);
  const timezone = await workspaceTimezone(api);
  const bizdate = lastBizdate(new Date(), timezone);
  const runId = await startSampleRun(seeding, workflowId, bizdate);
  const expected = await expectedRows(file, bizdate);
  const run = await endOfSample(runId, { api, io, signal, timeoutSeconds: RUN_TIMEOUT_SECONDS });
  if (run === undefined) return false;
  const isGreen = hasSucceeded(run);
  const arrived = await targetRows(target, bizdate);
  const isRight = isGreen && JSON.stringify(arrived) === JSON.stringify(expected);
  const isPageThere = isRight && (await answersPage(start));
  printResult(io, { bizdate, target, arrived, expected, isGreen, isRight, isPageThere });
  if (!isGreen) {
    for (const instance of run.instances.filter((each) => each.status !== 'succeeded')) {
      io.stderr(`  ${instance.id} is ${instance.status}: npx millrace why ${instance.id}\n`);
    }
  }
  await startSampleHistory(seeding, workflowId, bizdate);
  return isRight;
}

/**
 * Undefined where it takes too long, which is said and no failure of the start: after nights off the queue
 * may be full of the days that are made up for, and the sample waits its turn like everything else.
 */
export async function endOfSample(
  runId: string,
  {
    api,
    io,
    signal,
    timeoutSeconds,
  }: Pick<SampleStart, 'api' | 'io' | 'signal'> & { readonly timeoutSeconds: number },
): Promise<Run | undefined> {
  try {
    return await watchRun(api, runId, { timeoutSeconds, signal, onChange: () => undefined });
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode !== EXIT.timeout) throw error;
    io.stderr(
      `The sample is not over: ${error.message}. \`npx millrace runs show ${runId}\` has more.\n`,
    );
    return undefined;
  }
}

async function workspaceTimezone(api: ApiClient): Promise<string> {
  const { items } = await api.get(
    '/workspaces',
    z.looseObject({ items: z.array(z.looseObject({ name: z.string(), timezone: z.string() })) }),
  );
  const workspace = items.find((each) => each.name === SAMPLE_WORKSPACE);
  if (workspace === undefined)
    throw new MillraceError('MR-A104', 'The sample workspace is missing.');
  return workspace.timezone;
}

interface Result {
  readonly bizdate: string;
  readonly target: SampleTarget;
  readonly arrived: readonly ResultRow[];
  readonly expected: readonly ResultRow[];
  readonly isGreen: boolean;
  readonly isRight: boolean;
  readonly isPageThere: boolean;
}

/** Does a browser that goes there now see the page? */
async function answersPage({ url, signal }: SampleStart): Promise<boolean> {
  const answer = await fetch(url, { headers: { accept: 'text/html' }, signal }).catch(
    () => undefined,
  );
  await answer?.body?.cancel();
  return answer?.ok === true;
}

/**
 * The workflow to learn mending from, made and run beside everything else. What goes wrong with it is
 * said and is no failure of the start.
 */
export async function startLesson({ api, io, signal }: SampleStart): Promise<void> {
  try {
    const bizdate = lastBizdate(new Date(), await workspaceTimezone(api));
    await startFixMe(seedApi(api), bizdate);
  } catch (error) {
    if (signal.aborted) return;
    const text = error instanceof Error ? error.message : String(error);
    io.stderr(`The workflow ${FIX_ME_WORKFLOW} was not made: ${text}\n`);
  }
}

function printResult(io: CliIo, result: Result): void {
  const { bizdate, target, arrived, expected, isGreen, isRight, isPageThere } = result;
  const all = ['ds', ...RECORD_COLUMNS];
  const columns = SHOWN_COLUMNS.map((title) => {
    const at = all.indexOf(title);
    return { title, of: (row: ResultRow) => shortened(row[at] ?? '') };
  });
  const shown = Math.min(arrived.length, SHOWN_ROWS);
  io.stdout(
    `\nodps_result in ${target.description}, business date ${bizdate}\n` +
      `(${shown} of ${arrived.length} rows, ${columns.length} of ${all.length} columns):\n\n` +
      renderTable(arrived.slice(0, SHOWN_ROWS), columns, false),
  );
  const verdict = isRight
    ? `${arrived.length} rows, as the file says`
    : isGreen
      ? `WRONG: ${arrived.length} rows arrived, the file says ${expected.length}`
      : 'the sample has FAILED';
  io.stdout(`\nSample: ${verdict}. ${secondsSinceCommand()} s after the command was given.\n`);
  if (isPageThere) io.stdout(`Sample green after ${secondsSinceCommand()} s\n`);
}

function shortened(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS - 1)}…`;
}

function seedApi(api: ApiClient): SampleApi {
  const anything = z.unknown();
  return {
    get: async <T>(path: string) => (await api.get(path, anything)) as T,
    post: async <T>(path: string, body: unknown) =>
      (await api.send('POST', path, anything, { body })).value as T,
    change: async (path, body) => {
      const { etag } = await api.send('GET', path, anything);
      await api.send('PATCH', path, anything, {
        body,
        ...(etag === undefined ? {} : { ifMatch: etag }),
      });
    },
  };
}
