import { describe, expect, test } from '@jest/globals';

import { createDatabase, execute, mysqlTestServers } from '../../../test/support/servers.js';
import { mysqlDataSourceSchema } from './config.js';
import { testMysql } from './connectivity.js';

const servers = mysqlTestServers().map((server) => [server.name, server] as const);

describe.each(servers)('with %s', (_name, server) => {
  const tlsStep = async (mode: string, password = server.password) => {
    await using database = await createDatabase(server);
    const { host, port, user } = server;
    const config = mysqlDataSourceSchema.parse({
      host,
      port,
      user,
      password,
      database: database.name,
      tls: { mode },
    });
    for await (const step of testMysql(config, { signal: AbortSignal.timeout(20_000) }))
      if (step.step === 'tls') return step;
    return undefined;
  };

  test('TLS is called on only with the cipher that the server names for the session', async () => {
    const [row] = await execute(server, "SHOW VARIABLES LIKE 'have_ssl'");
    const offersTls = row === undefined || row['Value'] === 'YES';
    const step = await tlsStep('prefer');
    if (offersTls)
      expect(step).toMatchObject({
        status: 'ok',
        detail: expect.stringMatching(
          /^the session is encrypted with \S+, certificate not checked$/,
        ),
      });
    else expect(step).toMatchObject({ status: 'warning' });
    expect(await tlsStep('off')).toMatchObject({ status: 'skipped', detail: 'switched off' });
  });

  test('after a refused login with `prefer` nothing is claimed about TLS', async () => {
    expect(await tlsStep('prefer', 'wr0ng')).toMatchObject({
      status: 'skipped',
      detail: expect.stringContaining('not known'),
    });
  });
});
