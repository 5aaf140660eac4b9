import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import { WAKE_TOPICS, WakeBus } from '../../../src/store/wake-bus.js';
import { FaultyProxy } from '../../support/faulty-proxy.js';
import { createDatabase, testServers } from '../../support/servers.js';

const WAKES = 10;
/** More than the bus waits between two of its own accord. */
const BETWEEN_MS = 25;

test('what is told while a wake-up is still on its way goes with the next one', async () => {
  const server = testServers().postgres;
  await using database = await createDatabase(server);
  await using proxy = await FaultyProxy.open(server);
  const far = new URL(database.url);
  far.host = `127.0.0.1:${proxy.port}`;
  await using near = await WakeBus.open(database.url);
  await using sender = await WakeBus.open(far.href);
  let heard = 0;
  near.subscribe('work', () => heard++);
  proxy.delay(200);
  for (let wake = 0; wake < WAKES; wake++) {
    sender.wake('work');
    await sleep(BETWEEN_MS);
  }
  // Time for all of them, should they go one by one.
  await sleep(5000);
  expect(heard).toBeGreaterThanOrEqual(2);
  expect(heard).toBeLessThan(WAKES / 2);
});

test('a bus whose connection was cut looks at everything once it listens again, because it may have missed something', async () => {
  const server = testServers().postgres;
  await using database = await createDatabase(server);
  await using proxy = await FaultyProxy.open(server);
  const far = new URL(database.url);
  far.host = `127.0.0.1:${proxy.port}`;
  await using bus = await WakeBus.open(far.href);
  const looks = WAKE_TOPICS.map(
    (topic) => new Promise<void>((resolve) => bus.subscribe(topic, resolve)),
  );
  proxy.cut();
  // Nobody tells it anything.
  await Promise.all(looks);
});
