import { expect, test } from '@jest/globals';

import { Cluster } from '../support/cluster.js';
import { brokenInvariants } from '../support/invariants.js';
import { openWebhook } from '../support/receivers.js';

const KILLS = 2;

const TIMEOUT_MS = 90_000;

test(
  'a message whose sender is killed before it could note the answer arrives, however often that happens',
  async () => {
    await using receiver = await openWebhook();
    await using cluster = await Cluster.open({
      workers: 0,
      crashPoints: `alert:before-report=kill@1+2`,
      env: { MILLRACE_WEBHOOK_LOCAL: 'loopback' },
    });
    await cluster.database.run(
      `UPDATE resource_group SET created_at = created_at - interval '1 day'`,
    );
    await cluster.send('POST', '/workspaces/sample/alert-rules', {
      name: 'group',
      condition: { kind: 'no_worker', minutes: 1 },
      target: { kind: 'resource_group', resourceGroup: 'default' },
      webhook: { url: receiver.url },
    });
    await cluster.until(TIMEOUT_MS - 20_000, 'the message to be noted as delivered', async () => {
      const [row] = await cluster.database.rows<{ status: string; attempts: number }>(
        'SELECT status, attempts FROM alert_delivery',
      );
      // The claim of a dead sender ends after 30 s, which nobody has to wait for.
      if (row !== undefined && cluster.processes.lives('scheduler') > row.attempts)
        await cluster.database.run(
          `UPDATE alert_delivery SET next_at = clock_timestamp() WHERE status = 'waiting'`,
        );
      return row?.status === 'delivered';
    });
    expect(cluster.processes.lives('scheduler')).toBe(KILLS + 1);
    expect(receiver.posts).toHaveLength(KILLS + 1);
    expect(new Set(receiver.posts.map(({ json }) => json.delivery)).size).toBe(1);
    const [alert] = await cluster.database.rows<{ count: number }>('SELECT count FROM alert');
    expect(alert).toEqual({ count: 1 });
    expect(await brokenInvariants(cluster.database)).toEqual([]);
  },
  TIMEOUT_MS,
);
