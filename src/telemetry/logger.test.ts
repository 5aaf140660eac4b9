import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { createLogger } from './logger.js';

test('a log line has the fixed fields, the causes of an error, and no credentials', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-log-'));
  const file = join(folder, 'api.log');
  try {
    const log = createLogger({ name: 'api', level: 'info', file });
    const cause = new Error('connect postgres://root:hunter2@db/x failed');
    const fields = { instanceId: 'i1', password: 'hunter2', config: { token: 'hunter2' } };
    log.child({ worker: 'w' }).warn({ ...fields, err: new Error('no start', { cause }) }, 'again');
    log.debug('not at this level');
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('hunter2');
    const lines = text.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      name: 'api',
      worker: 'w',
      instanceId: 'i1',
      msg: 'again',
      err: { message: 'no start', cause: { message: 'connect postgres://***@db/x failed' } },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
