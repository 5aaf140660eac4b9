import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { MillraceError } from '../domain/errors.js';
import { freePort, isPortFree } from './free-port.js';

const TRIES = 100;
const PORTS_FILE = 'ports.json';

/**
 * The port to listen on: `wanted`, or the next free one when nobody asked for exactly this port.
 * @throws MR-A201 when it was asked for and is taken
 */
export async function choosePort(
  host: string,
  wanted: number,
  wasAskedFor: boolean,
): Promise<number> {
  if (await isPortFree(wanted, host)) return wanted;
  if (wasAskedFor) throw new MillraceError('MR-A201', `${host}:${wanted}`);
  for (let port = wanted + 1; port <= Math.min(wanted + TRIES, 65_535); port++)
    if (await isPortFree(port, host)) return port;
  throw new MillraceError('MR-A201', `${host}:${wanted} and the next ${TRIES}`);
}

const portsSchema = z.record(z.string(), z.int());

/**
 * A port for the private server `name`: the one it had last time when that is free, so that connections
 * other people have saved go on working.
 */
export async function rememberedPort(dataDir: string, name: string): Promise<number> {
  const path = join(dataDir, PORTS_FILE);
  const remembered = (): Record<string, number> =>
    existsSync(path) ? portsSchema.parse(JSON.parse(readFileSync(path, 'utf8'))) : {};
  const last = remembered()[name];
  if (last !== undefined && (await isPortFree(last))) return last;
  for (;;) {
    const port = await freePort();
    // Looked at again: two servers that start at once may be given the same port, which neither has yet.
    const ports = remembered();
    if (Object.values(ports).includes(port)) continue;
    writeFileSync(path, `${JSON.stringify({ ...ports, [name]: port })}\n`);
    return port;
  }
}
