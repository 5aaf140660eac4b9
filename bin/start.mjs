import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { followNpm } from './parent.mjs';

followNpm();
await ensureInstalled();
await ensureBuilt();
// In this very process: `performance.now()` in there counts from the command the user gave.
const { main } = await import('../dist/cli/main.js');
process.exitCode = await main(['start', ...process.argv.slice(2)]);
