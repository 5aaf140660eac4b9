import { expect, test } from '@jest/globals';
import { BUILT_IN_PLUGINS, PluginHost } from './plugin-host.js';

test('every built-in plugin is accepted, and runs in threads', async () => {
  const host = await PluginHost.open([]);
  expect(host.refused).toEqual([]);
  const manifests = host.manifests();
  expect(manifests.map((plugin) => plugin.name)).toEqual(BUILT_IN_PLUGINS);
  expect(manifests.filter((plugin) => plugin.isolated)).toEqual([]);
});

test('the host and port of a database are secrets as its password is', async () => {
  const host = await PluginHost.open([]);
  for (const type of ['postgres', 'mysql']) {
    const { dataSources } = host.manifests().find((m) => m.name.endsWith(type)) ?? {};
    expect(dataSources?.[0]?.secretFields).toEqual(
      expect.arrayContaining(['/host', '/port', '/password']),
    );
  }
});
