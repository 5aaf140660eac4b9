import { readFile } from 'node:fs/promises';

import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import { readLocalServer } from '../local-server.js';
import type { Settings } from '../settings.js';
import type { ApiAddress } from './api-client.js';

/**
 * The server a command talks to. The token of the local server is never sent to another one: whoever
 * names a server names its token file as well.
 */
export async function findServer({ chosen, dataDir }: Settings): Promise<ApiAddress> {
  const { server, token, tokenFile } = chosen;
  if (server !== undefined) {
    if (token !== undefined)
      return { server, token: checkedToken(token.reveal(), 'MILLRACE_TOKEN') };
    if (tokenFile === undefined) {
      throw new CliError(`No token for ${server}`, {
        exitCode: EXIT.auth,
        fix: `Sign in with \`millrace login ${server}\`, or name a file with an API token: --token-file FILE.`,
      });
    }
    return { server, token: await readToken(tokenFile) };
  }
  const local = await readLocalServer(dataDir);
  if (local === undefined) {
    throw new CliError(`No Millrace runs in this folder (${dataDir} names no server)`, {
      exitCode: EXIT.timeout,
      fix: 'Start it with `npm start`, or name a server: --server URL --token-file FILE.',
    });
  }
  return {
    server: local.url,
    token:
      token === undefined
        ? await readToken(tokenFile ?? local.tokenFile)
        : checkedToken(token.reveal(), 'MILLRACE_TOKEN'),
  };
}

async function readToken(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new CliError(`The token file ${path} cannot be read`, {
      exitCode: EXIT.auth,
      fix: 'Check the path and its rights; `npm start` writes the one of the local server anew.',
      cause: error,
    });
  }
  return checkedToken(text.trim(), `The token file ${path}`);
}

/** Anything else would be an invalid header, whose error message repeats it. */
export function checkedToken(token: string, where: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CliError(`${where} does not hold one token`, {
    exitCode: EXIT.auth,
    fix: 'A token is one line: mr_…',
  });
}
