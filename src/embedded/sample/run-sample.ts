import { copyFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { SampleDatabase } from '../sample-target.js';
import {
  SAMPLE_HISTORY,
  SAMPLE_SPEC,
  SAMPLE_WORKFLOW,
  SAMPLE_WORKSPACE,
} from './sample-workflow.js';

/** As much of the API as seeding needs; errors are thrown. */
export interface SampleApi {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

interface Page<T> {
  readonly items: readonly T[];
}

const WORKSPACE = `/workspaces/${SAMPLE_WORKSPACE}`;

/** The file of the sample: 10,000 records of a package, copied where the data source may look. */
export async function copySampleFile(dataDir: string): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  const folder = join(dataDir, 'sample');
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'birdstrikes.csv');
  await copyFile(join(dirname(dirname(entry)), 'data', 'birdstrikes.csv'), file);
  return file;
}

/** Makes data sources and workflow where they are missing, as a user would, and submits. */
export async function seedSample(
  api: SampleApi,
  folder: string,
  warehouse: SampleDatabase,
  target: SampleDatabase,
): Promise<string> {
  const sources = await api.get<Page<Named>>(`${WORKSPACE}/data-sources?limit=200`);
  const known = new Set(sources.items.map((each) => each.name));
  const wanted = [
    {
      name: 'sample_files',
      type: 'file',
      config: { root: folder },
      description: 'Files of the sample',
    },
    { name: 'warehouse', ...connectionOf(warehouse), description: 'Where the sample computes' },
    { name: 'sample_target', ...connectionOf(target), description: 'Where the sample exports to' },
  ];
  for (const source of wanted.filter((each) => !known.has(each.name))) {
    await api.post(`${WORKSPACE}/data-sources`, { ...source, test: false });
  }
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
  });
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
