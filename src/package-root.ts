import { existsSync } from 'node:fs';

/** The folder of Millrace's package.json: modules lie elsewhere in the build than in the sources. */
export const PACKAGE_ROOT = packageRoot(new URL('.', import.meta.url));

function packageRoot(folder: URL): URL {
  return existsSync(new URL('package.json', folder)) ? folder : packageRoot(new URL('..', folder));
}
