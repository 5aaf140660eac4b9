import { writeSync } from 'node:fs';

import { startPrivateServers, stopPrivateServers } from './private-servers.js';

/**
 * The process that holds the servers of one test run: prints their addresses as one line of JSON, and
 * ends them when its stdin closes, which also happens when jest is killed.
 */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
const running = await startPrivateServers();
process.on('exit', () => stopPrivateServers(running));
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
writeSync(1, `${JSON.stringify(running.servers)}\n`);
