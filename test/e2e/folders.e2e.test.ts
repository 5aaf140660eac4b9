import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { isRoot, ordinaryUser, Product } from './product.js';
import { strikesOf } from './strikes.js';

const ROWS_RIGHT = /Sample: \d+ rows, as the file says\./;
const nobody = ordinaryUser();

/** Every refusal: one line that says why, one that says what to do, exit 1, nothing left behind. */
async function refusal(product: Product, env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await product.start(['--once'], env).ended;
  expect({ code, stdout, stderr }).toMatchObject({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^error: MR-A\d{3} [^\n]+\nfix: [^\n]+\n$/);
  expect(await product.settled()).toEqual([]);
  return stderr;
}

describe('npm start refuses in one line', () => {
  test('a port that was asked for and is taken', async () => {
    await using product = await Product.open();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(product.port, '127.0.0.1', resolve));
    try {
      const text = await refusal(product);
      expect(text).toContain(`MR-A201 The port is taken: 127.0.0.1:${product.port}`);
      expect(text).toContain('MILLRACE_PORT');
    } finally {
      taken.close();
    }
  });

  test('a data folder that cannot be made', async () => {
    await using product = await Product.open();
    const file = join(product.folder, 'file');
    writeFileSync(file, '');
    const text = await refusal(product, { MILLRACE_DATA_DIR: join(file, 'data') });
    expect(text).toContain('MR-A202');
    expect(text).toContain(file);
  });

  (nobody === undefined ? test.skip : test)('a data folder that is somebody else’s', async () => {
    await using product = await Product.open(nobody === undefined ? {} : { user: nobody });
    mkdirSync(product.dataDir, { mode: 0o755 });
    chmodSync(product.dataDir, 0o755);
    const text = await refusal(product);
    expect(text).toContain('MR-A202');
    expect(text).toContain(product.dataDir);
  });

  test('a database folder whose first start was interrupted', async () => {
    await using product = await Product.open();
    const postgres = join(product.dataDir, 'postgres');
    mkdirSync(postgres, { recursive: true });
    writeFileSync(join(postgres, 'PG_VERSION'), '18\n');
    const text = await refusal(product);
    expect(text).toContain(`MR-A204 The database folder is incomplete: ${postgres}`);
    expect(text).toContain('Remove the folder');
  });

  test('settings that are not valid, all of them at once', async () => {
    await using product = await Product.open();
    const wrong = { MILLRACE_PORT: 'many', MILLRACE_LOG_LEVEL: 'loud' };
    const { code, stdout, stderr } = await product.start(['--once'], wrong).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: MR-A206 /);
    expect(stderr).toContain('MILLRACE_PORT: ');
    expect(stderr).toContain('MILLRACE_LOG_LEVEL: ');
  });
});

describe('npm start works', () => {
  (isRoot() ? test : test.skip)(
    'as root, in a folder that no other account can enter',
    async () => {
      await using product = await Product.open({ mode: 0o700 });
      const { code, stdout, stderr } = await product.start(['--once']).ended;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stdout).toMatch(ROWS_RIGHT);
      expect(product.serverFolders()).toHaveLength(1);
      expect(await product.settled()).toEqual([]);
    },
  );

  test('without a MySQL server: the target is a second PostgreSQL database, and the output says so', async () => {
    await using product = await Product.open({
      ...(nobody === undefined ? {} : { user: nobody }),
      env: { MILLRACE_SAMPLE_TARGET: 'postgres' },
    });
    const { code, stdout, stderr } = await product.start(['--once']).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr });
    expect(stderr).toContain("The sample's target is a second database of the embedded PostgreSQL");
    expect(stdout).toMatch(ROWS_RIGHT);
    const bizdate = /business date (\S+)/.exec(stdout)?.[1] ?? '';
    expect(stdout).toContain(`Sample: ${strikesOf(bizdate).length} rows`);
    expect(await product.settled()).toEqual([]);
  });
});
