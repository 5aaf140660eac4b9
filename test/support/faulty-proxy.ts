import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where it passes connections on to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A TCP proxy that a test may make slow, deaf or cut, as networks are. */
export class FaultyProxy implements AsyncDisposable {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #delayMs = 0;
  #losesAnswers = false;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async open(target: Address): Promise<FaultyProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new FaultyProxy(server, (server.address() as AddressInfo).port);
    server.on('connection', (client) => proxy.#join(client, connect(target.port, target.host)));
    return proxy;
  }

  /** Ends every connection there is; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** From now on everything arrives that much later, each way; 0: at once. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** From now on requests arrive and their answers do not: what was asked happens and nobody hears of it. */
  loseAnswers(): void {
    this.#losesAnswers = true;
  }

  /** Nothing is delayed or lost any more. Connections whose answers were lost end: their bytes are gone. */
  heal(): void {
    this.#delayMs = 0;
    if (!this.#losesAnswers) return;
    this.#losesAnswers = false;
    this.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, upstream: Socket): void {
    this.#pass(client, upstream, () => false);
    this.#pass(upstream, client, () => this.#losesAnswers);
  }

  #pass(from: Socket, to: Socket, isLost: () => boolean): void {
    this.#sockets.add(from);
    // In the order of their arrival, also when the delay has become shorter meanwhile.
    let last: Promise<unknown> = Promise.resolve();
    let waiting = 0;
    from.on('data', (bytes: Buffer) => {
      if (isLost()) return;
      if (this.#delayMs === 0 && waiting === 0) {
        to.write(bytes);
        return;
      }
      waiting++;
      const due = performance.now() + this.#delayMs;
      last = last.then(async () => {
        await sleep(Math.max(0, due - performance.now()));
        waiting--;
        to.write(bytes);
      });
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      void last.then(() => to.end());
    });
  }
}
