import { Socket } from 'node:net';

import type { Client } from 'pg';

const NO_TLS = 'N';

/**
 * Goes on without TLS on the same connection where the server has none. The driver would end it, and to open
 * another takes the server longer than to answer what a small job asks.
 */
export class PreferringSocket extends Socket {
  goOnPlain: () => void = () => undefined;
  #isPlain = false;

  get isPlain(): boolean {
    return this.#isPlain;
  }

  /** The first answer that the driver waits for is the one to its wish for TLS. */
  override once(event: string | symbol, listener: (...args: never[]) => void): this {
    if (event !== 'data') return super.once(event as string, listener as () => void);
    return super.once('data', (answer: Buffer) => {
      // More than the one letter can only have come from somebody in between.
      if (answer.toString('latin1') !== NO_TLS) {
        Reflect.apply(listener, this, [answer]);
        return;
      }
      this.#isPlain = true;
      this.goOnPlain();
    });
  }
}

/** What the driver does once TLS is there, with the socket as it is. */
export function startPlain(client: Client, socket: Socket): void {
  const connection = client.connection as unknown as {
    attachListeners(stream: Socket): void;
    emit(event: 'sslconnect'): boolean;
  };
  connection.attachListeners(socket);
  connection.emit('sslconnect');
}
