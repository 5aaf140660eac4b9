import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { SAMPLE_HISTORY, SAMPLE_WORKFLOW, SAMPLE_WORKSPACE } from '../../domain/sample-names.js';
import type { SampleDatabase } from '../sample-target.js';
import { SAMPLE_SPEC } from './sample-workflow.js';

/** As much of the API as seeding needs; errors are thrown. */
export interface SampleApi {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  /** Loads it and changes it. */
  change(path: string, body: unknown): Promise<void>;
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface Page<T> {
  readonly items: readonly T[];
}

const WORKSPACE = `/workspaces/${SAMPLE_WORKSPACE}`;

const notes = z.record(z.string(), z.string());

/** The file of the sample: 10,000 records of a package, copied where the data source may look. */
export async function copySampleFile(dataDir: string): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  const folder = join(dataDir, 'sample');
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'birdstrikes.csv');
  await copyFile(join(dirname(dirname(entry)), 'data', 'birdstrikes.csv'), file);
  return file;
}

/**
 * Makes data sources and workflow where they are missing, as a user would, and submits. A data source
 * whose server stands elsewhere now (its old port was taken) is led there.
 */
export async function seedSample(
  api: SampleApi,
  dataDir: string,
  warehouse: SampleDatabase,
  target: SampleDatabase,
): Promise<string> {
  const sources = await api.get<Page<Named>>(`${WORKSPACE}/data-sources?limit=200`);
  const known = new Map(sources.items.map((each) => [each.name, each.id]));
  const files = { type: 'file', config: { root: join(dataDir, 'sample') } };
  const wanted = [
    { name: 'sample_files', ...files, description: 'Files of the sample' },
    { name: 'warehouse', ...connectionOf(warehouse), description: 'Where the sample computes' },
    { name: 'sample_target', ...connectionOf(target), description: 'Where the sample exports to' },
  ];
  const note = join(dataDir, 'sample-sources.json');
  const before = existsSync(note) ? notes.parse(JSON.parse(readFileSync(note, 'utf8'))) : {};
  const after: Record<string, string> = {};
  for (const source of wanted) {
    const id = known.get(source.name);
    const digest = digestOf(source.config);
    after[source.name] = digest;
    if (id === undefined) await api.post(`${WORKSPACE}/data-sources`, { ...source, test: false });
    else if (before[source.name] !== digest)
      await api.change(`${WORKSPACE}/data-sources/${id}`, { config: source.config, test: false });
  }
  writeFileSync(note, `${JSON.stringify(after)}\n`);
  const workflows = await api.get<Page<Named & { readonly latestVersion: number | null }>>(
    `${WORKSPACE}/workflows?limit=200`,
  );
  const there = workflows.items.find((each) => each.name === SAMPLE_WORKFLOW);
  const workflow =
    there ??
    (await api.post<Named & { readonly latestVersion: number | null }>(`${WORKSPACE}/workflows`, {
      name: SAMPLE_WORKFLOW,
      description: 'load -> insert_data -> write_result, on real records',
      draft: SAMPLE_SPEC,
    }));
  if (workflow.latestVersion === null) {
    await api.post(`${WORKSPACE}/workflows/${workflow.id}/submit`, { comment: 'sample' });
  }
  return workflow.id;
}

/** Runs the sample for one business date and returns the run's id. */
export async function startSampleRun(
  api: SampleApi,
  workflowId: string,
  bizdate: string,
): Promise<string> {
  const run = await api.post<{ id: string }>(`${WORKSPACE}/workflows/${workflowId}/runs`, {
    bizdate,
  });
  return run.id;
}

/** Seven business dates before `bizdate`, as a backfill, once in the life of an installation. */
export async function startSampleHistory(
  api: SampleApi,
  workflowId: string,
  bizdate: string,
): Promise<void> {
  const backfills = await api.get<Page<Named>>(`${WORKSPACE}/backfills?limit=200`);
  if (backfills.items.some((each) => each.name === SAMPLE_HISTORY)) return;
  await api.post(`${WORKSPACE}/backfills`, {
    workflow: workflowId,
    name: SAMPLE_HISTORY,
    from: daysBefore(bizdate, 7),
    to: daysBefore(bizdate, 1),
    order: 'desc',
    // Each loads the same table: more at once would wait for each other, and the next start for all of them.
    parallelism: 1,
  });
}

/** Of a connection: its password is long and random, so that the digest tells nothing. */
function digestOf(config: object): string {
  return createHash('sha256').update(JSON.stringify(config)).digest('hex');
}

function daysBefore(bizdate: string, days: number): string {
  const at = new Date(`${bizdate}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() - days);
  return at.toISOString().slice(0, 10);
}

function connectionOf(database: SampleDatabase): { type: string; config: Record<string, unknown> } {
  const { kind, host, port, user, password, database: name } = database;
  return {
    type: kind,
    config: { host, port, user, password, database: name, tls: { mode: 'off' } },
  };
}
