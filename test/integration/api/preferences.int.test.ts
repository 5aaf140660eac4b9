import { expect, test } from '@jest/globals';

import { openApi } from '../../support/api.js';

const PATH = '/api/v1/me/preferences';

test('preferences are kept for each person, and a change leaves the other keys alone', async () => {
  await using api = await openApi();
  expect((await api.send('GET', PATH)).json).toEqual({});
  const put = (body: object, as: 'owner' | 'visitor' = 'owner') =>
    api.send('PUT', PATH, { as, body });
  expect((await put({ theme: 'dark', 'timeline.groupBy': ['nodeType'] })).json).toEqual({
    theme: 'dark',
    'timeline.groupBy': ['nodeType'],
  });
  expect((await put({ theme: 'light', 'seen.timeline': true })).json).toEqual({
    theme: 'light',
    'timeline.groupBy': ['nodeType'],
    'seen.timeline': true,
  });
  expect((await put({ 'timeline.groupBy': null })).json).toEqual({
    theme: 'light',
    'seen.timeline': true,
  });
  expect((await put({ theme: 'classic' }, 'visitor')).json).toEqual({ theme: 'classic' });
  expect((await api.send('GET', PATH)).json).toMatchObject({ theme: 'light' });
});

test('keys of another form and more than 32 KB in all are refused and change nothing', async () => {
  await using api = await openApi();
  const put = (body: unknown) => api.send('PUT', PATH, { body });
  for (const key of ['Theme', '', 'a b', '1st', `a${'b'.repeat(64)}`]) {
    expect(await put({ [key]: 1 })).toMatchObject({ status: 400, json: { code: 'MR-A101' } });
  }
  expect((await put({ [`a${'b'.repeat(63)}`]: 1 })).status).toBe(200);
  expect((await put({ big: 'x'.repeat(20_000) })).status).toBe(200);
  const refused = await put({ big2: 'x'.repeat(13_000) });
  expect(refused).toMatchObject({ status: 400, json: { code: 'MR-A101' } });
  expect(refused.json['detail']).toContain('32768 are allowed');
  expect(Object.keys((await api.send('GET', PATH)).json)).not.toContain('big2');
  expect((await put({ big: null, big2: 'x'.repeat(13_000) })).status).toBe(200);
  const both = await Promise.all(['a', 'b'].map((key) => put({ [key]: 'x'.repeat(12_000) })));
  expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
});
