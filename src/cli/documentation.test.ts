import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from '@jest/globals';

import { workflowSpec } from '../scheduler/workflow-spec.js';
import { COMMANDS } from './command-list.js';
import type { CliIo } from './io.js';
import { main } from './main.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const GOTCHAS = readFileSync(join(ROOT, 'docs/gotchas.md'), 'utf8');

function quietIo(): CliIo {
  return {
    stdout: () => undefined,
    stderr: () => undefined,
    stdin: (async function* () {})(),
    askUnseen: () => Promise.resolve(''),
    stdinIsTty: false,
    stdoutIsTty: false,
    env: {},
    cwd: ROOT,
    home: ROOT,
    signal: new AbortController().signal,
  };
}

/** Commands as they stand in a text, without comments; no argument of ours holds a blank. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/^(?:npx )?millrace ([^#\n]+)/gm)].map(([, words = '']) => words.trim());
}

function* sourcesUnder(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (['node_modules', 'dist', 'testing'].includes(entry.name)) continue;
    if (entry.isDirectory()) yield* sourcesUnder(path);
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts')) yield path;
  }
}

describe('the documentation', () => {
  const examples = COMMANDS.flatMap((command) => command.examples ?? []);
  const written = [...commandsIn(README), ...commandsIn(examples.join('\n'))];

  test.each(written)('shows a command line that exists: millrace %s', async (line) => {
    expect(await main([...line.split(/\s+/), '--help'], quietIo())).toBe(0);
  });

  test('shows a workflow file whose draft is valid', () => {
    const [, json = ''] = /```json\n([\s\S]*?)```/.exec(README) ?? [];
    const file = JSON.parse(json) as { name: string; draft: unknown };
    expect(workflowSpec.safeParse(file.draft).error).toBeUndefined();
  });

  test('lists the crash points of the code and no others', () => {
    const inCode = new Set<string>();
    for (const folder of ['src', 'plugins'])
      for (const file of sourcesUnder(join(ROOT, folder)))
        for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(
          /rashPoint\('([\w:-]+)'\)/g,
        ))
          inCode.add(name);
    const listed = [...GOTCHAS.matchAll(/^\| `([\w-]+:[\w:-]+)`/gm)].map(([, name]) => name);
    expect(listed.toSorted()).toEqual([...inCode].toSorted());
  });
});
