import { text } from 'node:stream/consumers';

import { crashPlanOf, crashPointsOf } from '../../src/dataplane/crash-point.js';
import { runSync } from './sync.js';
import type { SyncOptions } from './sync.js';

/** A sync in a process of its own, for tests that kill it: options as JSON on stdin, crash points of the environment. */
const options = JSON.parse(await text(process.stdin)) as SyncOptions;
const hit = crashPointsOf(crashPlanOf(process.env));
await runSync({ ...options, crashPoint: (name) => hit(name) });
