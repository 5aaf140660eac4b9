import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { Database } from '../../../src/store/database.js';
import { FolderLogStore, logKeyOf } from '../../../src/store/log-store.js';
import { LOG_START, readLog } from '../../../src/store/repositories/log-repository.js';
import { archiveLogs } from '../../../src/store/sql/archive-logs.sql.js';
import { openStore } from '../../support/store.js';

const KEY = { planDay: new Date().toISOString().slice(0, 10), id: 7 };
const TEXTS = [
  'first line\nsecond ',
  'line goes on\n',
  `${randomBytes(5000).toString('hex')}\nend\n`,
];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-logs-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function writeAttempt(database: Database, endedAgo: string | null): Promise<void> {
  await database.run(
    `INSERT INTO attempt (plan_day, instance_id, epoch, run_number, attempt, fence, worker_id, version_id,
            state, claimed_at, ended_at)
     VALUES ($1, $2, 1, 1, 1, 1, 1, 1, 'succeeded', clock_timestamp(), clock_timestamp() - $3::interval)`,
    [KEY.planDay, KEY.id, endedAgo],
  );
  for (const [no, text] of TEXTS.entries()) await writeChunk(database, no, text);
}

async function writeChunk(database: Database, no: number, text: string): Promise<void> {
  await database.run(
    `INSERT INTO log_chunk (plan_day, instance_id, epoch, no, at, line_count, byte_count, body)
     VALUES ($1, $2, 1, $3, clock_timestamp(), $4, $5, $6)`,
    [KEY.planDay, KEY.id, no, text.split('\n').length - 1, text.length, gzipSync(text)],
  );
}

async function textOf(database: Database, logStore?: FolderLogStore): Promise<string> {
  const source = logStore === undefined ? { database } : { database, logStore };
  const { chunks } = await readLog(source, KEY, 1, LOG_START);
  return Buffer.concat(chunks.map((chunk) => chunk.bytes)).toString();
}

describe('run logs of ended attempts', () => {
  test('move to one object, read the same from there, and take no more room in the database', async () => {
    await using store = await openStore();
    const { database } = store;
    const logStore = new FolderLogStore(folder);
    await writeAttempt(database, '2 minutes');
    expect(await archiveLogs(database, logStore, 60_000, 10)).toBe(1);
    expect(await archiveLogs(database, logStore, 60_000, 10)).toBe(0);
    expect(await database.rows(`SELECT no FROM log_chunk WHERE body IS NOT NULL`)).toEqual([]);
    expect(await textOf(database, logStore)).toBe(TEXTS.join(''));
  });

  test('stay rows while the attempt runs or has just ended', async () => {
    await using store = await openStore();
    await writeAttempt(store.database, '5 seconds');
    expect(await archiveLogs(store.database, new FolderLogStore(folder), 60_000, 10)).toBe(0);
    expect(await textOf(store.database)).toBe(TEXTS.join(''));
  });

  test('keep a chunk that comes after they have moved', async () => {
    await using store = await openStore();
    const { database } = store;
    const logStore = new FolderLogStore(folder);
    await writeAttempt(database, '2 minutes');
    await archiveLogs(database, logStore, 60_000, 10);
    await writeChunk(database, TEXTS.length, 'late\n');
    await archiveLogs(database, logStore, 60_000, 10);
    expect(await textOf(database, logStore)).toBe(`${TEXTS.join('')}late\n`);
  });

  test('are whole when two processes move them at once', async () => {
    await using store = await openStore();
    const { database } = store;
    const logStore = new FolderLogStore(folder);
    await writeAttempt(database, '2 minutes');
    for (const table of ['attempt', 'log_chunk']) {
      await database.run(
        `INSERT INTO ${table} SELECT (jsonb_populate_record(t, '{"instance_id": 8}')).* FROM ${table} t`,
      );
    }
    let other: Promise<number> | undefined;
    await archiveLogs(
      database,
      {
        // Both have listed both logs before one of them has moved the first.
        write: async (key, parts) => {
          other ??= archiveLogs(database, logStore, 60_000, 10);
          await other;
          await logStore.write(key, parts);
        },
      },
      60_000,
      10,
    );
    for (const id of [7, 8]) {
      const { chunks } = await readLog({ database, logStore }, { ...KEY, id }, 1, LOG_START);
      expect(Buffer.concat(chunks.map((chunk) => chunk.bytes)).toString()).toBe(TEXTS.join(''));
    }
  });

  test('say so where their object is gone, and give the rest', async () => {
    await using store = await openStore();
    const { database } = store;
    const logStore = new FolderLogStore(folder);
    await writeAttempt(database, '2 minutes');
    await archiveLogs(database, logStore, 60_000, 10);
    await writeChunk(database, TEXTS.length, 'late\n');
    await unlink(join(folder, logKeyOf(KEY.planDay, KEY.id, 1)));
    const text = await textOf(database, logStore);
    expect(text).toContain('missing in the log store');
    expect(text).toContain('late\n');
  });
});
