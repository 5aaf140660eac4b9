import { Socket } from 'node:net';

import { PluginError } from '@millrace/sdk';
import type { Client } from 'pg';

const NO_TLS = 'N';
const ERROR = 'E';

/**
 * Reads the server's answer to the driver's wish for TLS. Where TLS is only preferred, it goes on without on the
 * same connection: the driver would end it, and to open another takes the server longer than to answer what a
 * small job asks. A server that dies meanwhile says so in place of the answer or right behind it; to the driver
 * that is a matter of TLS, which nobody would try again.
 */
export class NegotiatingSocket extends Socket {
  /** Set where the connection may be in clear. */
  goOnPlain: (() => void) | undefined;
  #isPlain = false;

  get isPlain(): boolean {
    return this.#isPlain;
  }

  /** The first answer that the driver waits for is the one to its wish for TLS. */
  override once(event: string | symbol, listener: (...args: never[]) => void): this {
    if (event !== 'data') return super.once(event as string, listener as () => void);
    return super.once('data', (answer: Buffer) => {
      const letter = answer.toString('latin1', 0, 1);
      if (this.goOnPlain !== undefined && (letter === NO_TLS || letter === ERROR)) {
        const message = answer.subarray(letter === NO_TLS ? 1 : 0);
        this.#isPlain = true;
        this.goOnPlain();
        if (message.length > 0) this.unshift(message);
      } else if (letter === ERROR) {
        // Its words are not shown: without TLS anybody in between may have written them.
        this.destroy(
          new PluginError('MR-D109', 'the server ended the connection before TLS was agreed on'),
        );
      } else {
        Reflect.apply(listener, this, [answer]);
      }
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
