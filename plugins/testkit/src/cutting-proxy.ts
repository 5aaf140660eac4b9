import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A TCP proxy that loses the answer to chosen requests; see {@link openCuttingProxy}. */
export interface CuttingProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** How many connections it has cut. */
  readonly cuts: () => number;
}

/**
 * Passes everything to and fro until a client sends a packet that holds `needle`, after `skip` others
 * that did. That packet still goes to the server; when the server answers it, the answer is lost and the connection is cut. So it stages
 * what no crash point can: the server has done the work and the client does not know. `which` instead of
 * `skip` does so to several packets, counted from 0.
 */
export async function openCuttingProxy(
  target: { readonly host: string; readonly port: number },
  needle: string,
  options: { readonly skip?: number; readonly which?: ReadonlySet<number> } = {},
): Promise<CuttingProxy> {
  const which = options.which ?? new Set([options.skip ?? 0]);
  const sockets = new Set<Socket>();
  let cuts = 0;
  let seen = 0;
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    let armed = false;
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    client.on('data', (data) => {
      if (data.includes(needle)) armed = which.has(seen++);
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (!armed) {
        client.write(data);
        return;
      }
      cuts++;
      cut();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    cuts: () => cuts,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
