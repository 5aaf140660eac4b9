import { connect, createServer } from 'node:net';

const BURST_MS = 20;

/**
 * A proxy in front of a server whose answers come no faster than `bytesPerSecond` on each connection, as
 * over a network with long ways: only more connections are faster.
 */
export async function openSlowProxy(target, bytesPerSecond) {
  const sockets = new Set();
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.pipe(upstream);
    let paidUntil = 0;
    upstream.on('data', (data) => {
      const now = performance.now();
      paidUntil = Math.max(paidUntil, now - BURST_MS) + (data.length / bytesPerSecond) * 1000;
      client.write(data);
      if (paidUntil - now < 1) return;
      upstream.pause();
      setTimeout(() => upstream.resume(), paidUntil - now);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: server.address().port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
