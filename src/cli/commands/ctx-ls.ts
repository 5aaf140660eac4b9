import type { Command } from '../command.js';
import { LOCAL_CONTEXT, readContexts } from '../contexts.js';
import { EXIT } from '../exit-code.js';
import { readLocalServer } from '../local-server.js';

export const ctxLs: Command = {
  path: ['ctx', 'ls'],
  summary: 'List the servers that have names',
  args: [],
  options: {},
  async run({ io, settings, printer }) {
    const { contexts } = await readContexts(io.home);
    // The one this call would use, whichever of the settings has chosen it.
    const current = settings.chosen.context ?? (settings.chosen.server ? '' : LOCAL_CONTEXT);
    const local = await readLocalServer(settings.dataDir);
    const rows = [
      { name: LOCAL_CONTEXT, server: local?.url ?? '', workspace: '' },
      ...Object.entries(contexts).map(([name, { server, workspace }]) => ({
        name,
        server,
        workspace: workspace ?? '',
      })),
    ].map((row) => ({ ...row, current: row.name === current }));
    printer.list(
      rows,
      [
        { title: 'current', of: (row) => (row.current ? '*' : '') },
        { title: 'name', of: (row) => row.name },
        { title: 'server', of: (row) => row.server },
        { title: 'workspace', of: (row) => row.workspace },
      ],
      (row) => row.name,
    );
    return EXIT.ok;
  },
};
