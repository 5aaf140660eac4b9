import { type AddressInfo, connect } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';

import { Certificate } from './certificate.js';

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
  readonly #certificate: Certificate;
  readonly #server: Server;
  readonly #sockets: Set<TLSSocket>;

  private constructor(
    url: string,
    certificate: Certificate,
    server: Server,
    sockets: Set<TLSSocket>,
  ) {
    this.url = url;
    this.caFile = certificate.caFile;
    this.#certificate = certificate;
    this.#server = server;
    this.#sockets = sockets;
  }

  static async open({ host, to }: TlsFrontOptions): Promise<TlsFront> {
    const certificate = await Certificate.make(host);
    const sockets = new Set<TLSSocket>();
    const server = createServer({ key: certificate.key, cert: certificate.chain }, (socket) => {
      sockets.add(socket);
      const behind = connect(to, '127.0.0.1');
      socket.on('close', () => {
        sockets.delete(socket);
        behind.destroy();
      });
      behind.on('close', () => socket.destroy());
      for (const each of [socket, behind]) each.on('error', () => each.destroy());
      socket.pipe(behind).pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const { port } = server.address() as AddressInfo;
    return new TlsFront(`https://${host}:${port}`, certificate, server, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#certificate[Symbol.asyncDispose]();
  }
}
