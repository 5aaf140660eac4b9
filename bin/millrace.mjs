#!/usr/bin/env node
import { existsSync } from 'node:fs';

import { fail } from './console.mjs';

const entry = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(entry))
  fail('Millrace is not built yet: run `npm run build` (or `npm start`) first.');
const { main } = await import(entry.href);
process.exitCode = await main(process.argv.slice(2));
