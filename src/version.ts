import { readFileSync } from 'node:fs';

import { z } from 'zod';

import { PACKAGE_ROOT } from './package-root.js';

const packageFile = new URL('package.json', PACKAGE_ROOT);

/** Millrace's own version, as package.json states it. */
export const VERSION = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(packageFile, 'utf8'))).version;
