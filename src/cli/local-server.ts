import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { writePrivately } from './private-file.js';

const serverFileSchema = z.looseObject({ url: z.url(), tokenFile: z.string() });

/** What a running `npm start` tells the other commands of this folder. The token is in a file of its own. */
export interface LocalServer {
  readonly url: string;
  /** Absolute; outside the data folder, which shell nodes can read. */
  readonly tokenFile: string;
}

export function serverFileOf(dataDir: string): string {
  return join(dataDir, 'server.json');
}

/** `undefined` when no `npm start` has announced itself in this folder. */
export async function readLocalServer(dataDir: string): Promise<LocalServer | undefined> {
  let text: string;
  try {
    text = await readFile(serverFileOf(dataDir), 'utf8');
  } catch {
    return undefined;
  }
  try {
    return serverFileSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Announces a server and saves the token the local commands use. Both files are readable by their owner alone. */
export async function writeLocalServer(
  dataDir: string,
  server: LocalServer,
  token: string,
): Promise<void> {
  await writePrivately(server.tokenFile, `${token}\n`);
  await writePrivately(serverFileOf(dataDir), `${JSON.stringify(server)}\n`);
}

export async function removeLocalServer(dataDir: string): Promise<void> {
  await rm(serverFileOf(dataDir), { force: true });
}
