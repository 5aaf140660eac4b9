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
export async function findServer(settings: Settings): Promise<ApiAddress> {
  if (settings.server !== undefined) {
    if (settings.tokenFile === undefined) {
      throw new CliError(`No token for ${settings.server}`, {
        exitCode: EXIT.auth,
        fix: 'Put an API token into a file and name it: --token-file FILE.',
      });
    }
    return { server: settings.server, token: await readToken(settings.tokenFile) };
  }
  const local = await readLocalServer(settings.dataDir);
  if (local === undefined) {
    throw new CliError(`No Millrace runs in this folder (${settings.dataDir} names no server)`, {
      exitCode: EXIT.timeout,
      fix: 'Start it with `npm start`, or name a server: --server URL --token-file FILE.',
    });
  }
  return { server: local.url, token: await readToken(settings.tokenFile ?? local.tokenFile) };
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
  const token = text.trim();
  // Anything else would be an invalid header, whose error message repeats it.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new CliError(`The token file ${path} does not hold one token`, {
      exitCode: EXIT.auth,
      fix: 'The file must hold one line: mr_…',
    });
  }
  return token;
}
