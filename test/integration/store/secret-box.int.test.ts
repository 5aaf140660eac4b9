import { randomBytes } from 'node:crypto';

import { expect, test } from '@jest/globals';

import { SecretBox, type SecretKey } from '../../../src/store/secret-box.js';
import { openStore } from '../../support/store.js';

const PASSWORD = { password: 'tr0ub4dor&3', host: 'db.example.org' };

function key(id: string): SecretKey {
  return { id, key: randomBytes(32) };
}

async function boxOf(
  store: { database: Parameters<SecretBox['verifyKeys']>[0] },
  ...ring: SecretKey[]
) {
  const box = new SecretBox(ring);
  await box.verifyKeys(store.database);
  return box;
}

test('a sealed value opens again and is nowhere readable in its record', async () => {
  await using store = await openStore();
  const box = await boxOf(store, key('k1'));
  const id = await box.seal(store.database, PASSWORD);
  expect(await box.open(store.database, id)).toEqual(PASSWORD);
  const [row] = await store.database.rows<Record<string, unknown>>('SELECT * FROM secret');
  for (const column of Object.values(row ?? {})) {
    const bytes = Buffer.isBuffer(column) ? column : Buffer.from(String(column));
    expect(bytes.includes(PASSWORD.password)).toBe(false);
  }
});

test('another key under the same id is told from the right one at the start', async () => {
  await using store = await openStore();
  await boxOf(store, key('k1'));
  await expect(boxOf(store, key('k1'))).rejects.toMatchObject({ code: 'MR-A203' });
});

test('a keyring without the key of the database is refused and names it', async () => {
  await using store = await openStore();
  await boxOf(store, key('k1'));
  await expect(boxOf(store, key('k2'))).rejects.toMatchObject({
    code: 'MR-A203',
    detail: expect.stringContaining('k1'),
  });
});

test('a record that was changed does not open', async () => {
  await using store = await openStore();
  const box = await boxOf(store, key('k1'));
  const id = await box.seal(store.database, PASSWORD);
  const other = await box.seal(store.database, { password: 'other' });
  for (const column of ['wrapped_key', 'ciphertext']) {
    const at = column === 'wrapped_key' ? 20 : 14;
    await store.database.run(
      `UPDATE secret SET ${column} = set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1) WHERE id = $1`,
      [id],
    );
    await expect(box.open(store.database, id)).rejects.toMatchObject({ code: 'MR-A203' });
    await store.database.run(
      `UPDATE secret SET ${column} = set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1) WHERE id = $1`,
      [id],
    );
  }
  await store.database.run(
    'UPDATE secret SET ciphertext = (SELECT ciphertext FROM secret WHERE id = $2) WHERE id = $1',
    [id, other],
  );
  await expect(box.open(store.database, id)).rejects.toMatchObject({ code: 'MR-A203' });
});

test('after a rotation the old key is not needed any more', async () => {
  await using store = await openStore();
  const [old, fresh] = [key('k1'), key('k2')];
  const before = await boxOf(store, old);
  const ids: number[] = [];
  for (let i = 0; i < 620; i++) ids.push(await before.seal(store.database, { i }));

  const both = await boxOf(store, fresh, old);
  expect(await both.rotate(store.database)).toBe(620);
  expect(await both.rotate(store.database)).toBe(0);

  const after = await boxOf(store, fresh);
  expect(await after.open(store.database, ids[619] ?? 0)).toEqual({ i: 619 });
  await expect(before.open(store.database, ids[0] ?? 0)).rejects.toMatchObject({ code: 'MR-A203' });
});

test('a removed record cannot be opened', async () => {
  await using store = await openStore();
  const box = await boxOf(store, key('k1'));
  const id = await box.seal(store.database, PASSWORD);
  await box.remove(store.database, id);
  await expect(box.open(store.database, id)).rejects.toMatchObject({ code: 'MR-A104' });
});
