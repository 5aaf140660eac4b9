import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface TlsFrontOptions {
  /** Where it listens, and the name in its certificate. */
  readonly host: string;
  /** A port of this machine that speaks plain HTTP. */
  readonly to: number;
}

/** TLS in front of a server without it, as a proxy does it, with a certificate of an authority of its own. */
export class TlsFront implements AsyncDisposable {
  readonly url: string;
  /** The certificate of the authority, as PEM. */
  readonly caFile: string;
  readonly #folder: string;
  readonly #server: Server;
  readonly #sockets: Set<TLSSocket>;

  private constructor(url: string, folder: string, server: Server, sockets: Set<TLSSocket>) {
    this.url = url;
    this.caFile = join(folder, 'ca.pem');
    this.#folder = folder;
    this.#server = server;
    this.#sockets = sockets;
  }

  static async open({ host, to }: TlsFrontOptions): Promise<TlsFront> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-tls-'));
    await makeCertificates(folder, host);
    const sockets = new Set<TLSSocket>();
    const server = createServer(
      {
        key: await readFile(join(folder, 'api.key')),
        cert: await readFile(join(folder, 'api.pem')),
      },
      (socket) => {
        sockets.add(socket);
        const behind = connect(to, '127.0.0.1');
        socket.on('close', () => {
          sockets.delete(socket);
          behind.destroy();
        });
        behind.on('close', () => socket.destroy());
        for (const each of [socket, behind]) each.on('error', () => each.destroy());
        socket.pipe(behind).pipe(socket);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const { port } = server.address() as AddressInfo;
    return new TlsFront(`https://${host}:${port}`, folder, server, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function makeCertificates(folder: string, host: string): Promise<void> {
  const openssl = async (...args: string[]): Promise<unknown> =>
    await run('openssl', args, { cwd: folder });
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  await openssl(
    ...['req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2'],
    ...['-subj', '/CN=Test authority'],
  );
  await openssl('req', ...key, '-keyout', 'api.key', '-out', 'api.csr', '-subj', '/CN=millrace');
  const kind = isIP(host) === 0 ? 'DNS' : 'IP';
  await writeFile(join(folder, 'names'), `subjectAltName=${kind}:${host}\n`);
  await openssl(
    ...['x509', '-req', '-in', 'api.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-extfile', 'names', '-out', 'api.pem', '-days', '2'],
  );
}
