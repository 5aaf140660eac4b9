import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the clone. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs a program of this machine in the clone.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ quiet?: boolean, env?: NodeJS.ProcessEnv, onText?: (text: string) => void }} [options] quiet: collects the output
 * @returns {Promise<{ code: number, output: string }>}
 */
export async function run(command, args, { quiet = false, env = process.env, onText } = {}) {
  const piped = quiet || onText !== undefined;
  return await new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env,
      stdio: piped ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    });
    let output = '';
    for (const [stream, out] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ])
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
        onText?.(text);
        if (!quiet) out.write(text);
      });
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * Runs a program that npm installed, without npm's and the shell's time to start.
 * @param {string} script path below node_modules
 */
export async function runTool(script, args, { nodeArgs = [], ...options } = {}) {
  const path = join(ROOT, 'node_modules', script);
  return await run(process.execPath, [...nodeArgs, path, ...args], options);
}
