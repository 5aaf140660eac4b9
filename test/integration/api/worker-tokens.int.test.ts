import { expect, test } from '@jest/globals';

import { workerTokenHash } from '../../../src/worker-link/http-link-server.js';
import { openApi } from '../../support/api.js';

const TOKENS = '/api/v1/worker-tokens';

test('a worker token is told once, listed without itself, and revoked', async () => {
  await using api = await openApi();
  const body = { resourceGroup: 'default', name: 'berlin' };
  const made = await api.send('POST', TOKENS, { body });
  expect(made.status).toBe(201);
  expect(made.json).toMatchObject({ id: 'tok_1', ...body, revokedAt: null });
  const token = String(made.json['token']);
  const valid = async (): Promise<unknown> =>
    await api.database.rows(
      'SELECT name FROM worker_token WHERE token_hash = $1 AND revoked_at IS NULL',
      [workerTokenHash(token)],
    );
  expect(await valid()).toEqual([{ name: 'berlin' }]);

  await api.send('POST', TOKENS, { body: { ...body, name: 'paris' } });
  const first = await api.send('GET', `${TOKENS}?limit=1`);
  expect(first.json['items']).toMatchObject([{ id: 'tok_2', name: 'paris' }]);
  const cursor = String(first.json['nextCursor']);
  const second = await api.send('GET', `${TOKENS}?limit=1&cursor=${cursor}`);
  expect(second.json).toMatchObject({ items: [{ id: 'tok_1' }], nextCursor: null });
  expect(JSON.stringify([first.json, second.json])).not.toContain(token);

  expect((await api.send('DELETE', `${TOKENS}/tok_1`)).status).toBe(204);
  expect(await valid()).toEqual([]);
  expect((await api.send('DELETE', `${TOKENS}/tok_1`)).json['code']).toBe('MR-A104');
  const audit = await api.database.rows('SELECT action, target FROM audit ORDER BY id');
  expect(audit).toEqual([
    { action: 'workerToken.created', target: 'tok_1' },
    { action: 'workerToken.created', target: 'tok_2' },
    { action: 'workerToken.revoked', target: 'tok_1' },
  ]);
});

test('a worker token needs a resource group that is there, a plain name and the right', async () => {
  await using api = await openApi();
  const nowhere = { resourceGroup: 'nowhere', name: 'berlin' };
  expect((await api.send('POST', TOKENS, { body: nowhere })).json).toMatchObject({
    code: 'MR-S142',
    errors: [{ pointer: '/resourceGroup', detail: 'one of: default' }],
  });
  // `npm start` calls its own so, and revokes those of that name at each start.
  const reserved = { resourceGroup: 'default', name: 'npm start' };
  expect((await api.send('POST', TOKENS, { body: reserved })).json['code']).toBe('MR-A101');
  const body = { resourceGroup: 'default', name: 'berlin' };
  for (const as of ['developer', 'operator', 'visitor'] as const) {
    expect((await api.send('POST', TOKENS, { as, body })).status).toBe(403);
    expect((await api.send('GET', TOKENS, { as })).status).toBe(403);
    expect((await api.send('DELETE', `${TOKENS}/tok_1`, { as })).status).toBe(403);
  }
});
