import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PluginHost } from './plugin-host.js';

const SCHEMA = `{ '~standard': { version: 1, vendor: 'test',
  validate: (value) => value?.file ? { value } : { issues: [{ message: 'Required', path: ['file'] }] },
  jsonSchema: { input: () => ({ type: 'object', properties: {
    file: { type: 'string', template: true }, key: { type: 'string', secret: true } } }),
    output: () => ({}) } } }`;

function pluginSource(options: {
  name: string;
  sdk?: string;
  node?: string;
  more?: string;
}): string {
  return `export default { name: '${options.name}', version: '1.0.0', sdk: '${options.sdk ?? '^0.1.0'}',
    title: 'A test plugin', nodes: [{ type: '${options.node ?? 'echo'}', title: 'Echo',
    description: 'Says it again', config: ${SCHEMA}, configVersion: 2, examples: [],
    upgrade: (config, from) => ({ ...config, from }),
    effect: 'none', dataSourcesOf: () => [], run: async () => ({}), ${options.more ?? ''} }] };`;
}

describe('the plugin host', () => {
  let folder: string;
  const folderOf = (name: string): string => join(folder, name);

  async function writePlugin(name: string, source: string): Promise<string> {
    await mkdir(join(folderOf(name), 'lib'), { recursive: true });
    await writeFile(
      join(folderOf(name), 'package.json'),
      JSON.stringify({ name, type: 'module', exports: { '.': { import: './lib/main.js' } } }),
    );
    await writeFile(join(folderOf(name), 'lib', 'main.js'), source);
    return folderOf(name);
  }

  function loadNamed(...specifiers: string[]): Promise<PluginHost> {
    return PluginHost.load({
      plugins: specifiers.map((specifier) => ({ specifier, builtIn: false })),
      folders: [folder],
    });
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-plugins-'));
    await writePlugin('good', pluginSource({ name: 'good' }));
    await writePlugin('same-type', pluginSource({ name: 'same-type' }));
    await writePlugin('old', pluginSource({ name: 'old', node: 'old', sdk: '~0.0.4' }));
    await writePlugin('bad-field', pluginSource({ name: 'bad-field', node: 'b', more: 'run: 7' }));
    await writePlugin('typo', pluginSource({ name: 'typo', node: 't', more: 'runn() {}' }));
    await writePlugin('takes-sync', pluginSource({ name: 'takes-sync', node: 'sync' }));
    await writePlugin('throws', 'throw new Error("no driver here");');
    await writePlugin('node_modules/by-name', pluginSource({ name: 'by-name', node: 'by-name' }));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('loads a plugin folder from outside the repository', async () => {
    const host = await loadNamed(folderOf('good'));
    expect(host.refused).toEqual([]);
    expect(host.node('echo').title).toBe('Echo');
    expect(host.pluginsOf([{ kind: 'node', type: 'echo' }])).toEqual([
      { name: 'good', specifier: folderOf('good'), isolated: true },
    ]);
  });

  test('finds a package by its name from the folder of the configuration', async () => {
    const host = await loadNamed('by-name');
    expect(host.types('node')).toEqual(['by-name']);
  });

  test('refuses bad plugins with their name and field and keeps the others', async () => {
    const names = ['bad-field', 'old', 'typo', 'takes-sync', 'throws', 'good', 'same-type'];
    const host = await loadNamed(...names.map(folderOf), 'not-installed', '../up');
    const refusedAs = (name: string) => host.refused.find((r) => r.specifier.endsWith(name));
    expect(refusedAs('bad-field')).toMatchObject({
      code: 'MR-P101',
      detail: expect.stringContaining('nodes[0].run: must be a function'),
    });
    expect(refusedAs('typo')).toMatchObject({
      code: 'MR-P101',
      detail: expect.stringContaining('runn'),
    });
    expect(refusedAs('old')).toMatchObject({
      code: 'MR-P102',
      detail: expect.stringContaining('~0.0.4'),
    });
    expect(refusedAs('throws')).toMatchObject({
      code: 'MR-P107',
      detail: expect.stringContaining('no driver here'),
    });
    expect(refusedAs('takes-sync')?.code).toBe('MR-P101');
    expect(refusedAs('same-type')).toMatchObject({
      code: 'MR-P101',
      detail: 'same-type: good has the node type "echo" already',
    });
    expect(refusedAs('not-installed')?.code).toBe('MR-P107');
    expect(refusedAs('../up')?.code).toBe('MR-P107');
    expect(host.types('node')).toEqual(['echo']);
  });

  test('says which types it knows when asked for another', async () => {
    const host = await loadNamed(folderOf('good'));
    expect(() => host.node('spark')).toThrow(
      expect.objectContaining({ code: 'MR-S102', detail: expect.stringContaining('known: echo') }),
    );
  });

  test('validates and upgrades a configuration of a plugin', async () => {
    const host = await loadNamed(folderOf('good'));
    expect(await host.validateConfig('node', 'echo', {})).toEqual([
      { pointer: '/file', detail: 'Required' },
    ]);
    expect(host.upgradeConfig('node', 'echo', { file: 'f' }, 1)).toEqual({ file: 'f', from: 1 });
    expect(host.upgradeConfig('node', 'echo', { file: 'f' }, 2)).toEqual({ file: 'f' });
  });

  test('its manifests are plain data that name code and secrets', async () => {
    const host = await loadNamed(folderOf('good'));
    const manifests = host.manifests();
    expect(structuredClone(manifests)).toEqual(manifests);
    expect(manifests[0]?.nodes[0]).toMatchObject({
      type: 'echo',
      effect: 'none',
      templateFields: ['/file'],
      secretFields: ['/key'],
    });
  });
});
