import { resolve } from 'node:path';

import type { Secret } from '../config/secret.js';
import { contextOf, LOCAL_CONTEXT, tokenFileOf, type Contexts } from './contexts.js';
import type { CliIo } from './io.js';
import type { ClientLayer } from './settings.js';

export interface ServerChoice {
  /** Absent: the server that `npm start` runs in this folder. */
  readonly server: string | undefined;
  /** Name of the context it comes from. */
  readonly context: string | undefined;
  readonly token: Secret | undefined;
  /** Absolute. */
  readonly tokenFile: string | undefined;
  readonly workspace: string | undefined;
}

/**
 * The first layer that names a server or a context. A token goes to the server it was given for: that of
 * a context to no other, and that of `~/.millrace/config.yaml` never to the server a project file names,
 * because whoever writes that file would get it.
 */
export function chooseServer(
  layers: readonly ClientLayer[],
  contexts: Contexts['contexts'],
  io: Pick<CliIo, 'cwd' | 'home'>,
): ServerChoice {
  const place = layers.findIndex(namesServer);
  const at = layers[place];
  const context = at?.context === LOCAL_CONTEXT ? undefined : at?.context;
  const known = context === undefined ? undefined : contextOf(contexts, context);
  const isOfProject = at?.origin === 'project' && at.server !== undefined;
  const given = layers.find((layer, i) => {
    if (layer.token === undefined && layer.tokenFile === undefined) return false;
    // What stands below the chosen server belongs to the server that is named there, or to none.
    if (place < 0 || i <= place) return true;
    return known === undefined && !namesServer(layer) && !(isOfProject && layer.origin === 'home');
  });
  const ownTokenFile = context === undefined ? undefined : tokenFileOf(io.home, context);
  return {
    server: known?.server ?? at?.server,
    context,
    token: given?.token,
    tokenFile: given === undefined ? ownTokenFile : absolute(given.tokenFile, io.cwd),
    workspace:
      layers.find(({ workspace }) => workspace !== undefined)?.workspace ?? known?.workspace,
  };
}

function namesServer({ server, context }: ClientLayer): boolean {
  return server !== undefined || context !== undefined;
}

function absolute(path: string | undefined, cwd: string): string | undefined {
  return path === undefined ? undefined : resolve(cwd, path);
}
