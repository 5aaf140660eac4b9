import { mkdtemp, readdir, readlink, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeNode } from '@millrace/testkit';
import { shellNode } from './shell-node.js';

/** Processes that hold a file of this folder as their output. */
async function processesOf(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const output = await readlink(`/proc/${pid}/fd/1`).catch(() => '');
    if (output.startsWith(folder)) found.push(pid);
  }
  return found;
}

describeNode('shell', {
  node: shellNode,
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-shell-'));
    return {
      dataSources: [],
      config: { command: 'echo done >> "$1"', args: [join(folder, 'effect')] },
      effect: async () => {
        const text = await readFile(join(folder, 'effect'), 'utf8').catch(() => '');
        return text.split('\n').length - 1;
      },
      failing: [
        { config: { command: 'exit 3' }, code: 'MR-P106' },
        { config: { command: 'no-such-command-here' }, code: 'MR-P106' },
      ],
      endless: {
        command: 'trap "" TERM; exec > "$1"; sleep 300 & wait',
        args: [join(folder, 'o')],
      },
      leftovers: () => processesOf(folder),
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    };
  },
});
