import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A network of its own with one wire to this machine: what runs in it reaches nothing else. */
export class NetworkNamespace implements AsyncDisposable {
  /** This machine as it is seen from within. */
  readonly outside: string;
  /** The only address within. */
  readonly inside: string;
  readonly #name: string;

  private constructor(name: string, outside: string, inside: string) {
    this.#name = name;
    this.outside = outside;
    this.inside = inside;
  }

  /** `undefined` where this account may not make one. */
  static async open(): Promise<NetworkNamespace | undefined> {
    const bytes = randomBytes(3);
    const id = bytes.toString('hex');
    const [name, near, far] = [`mr-${id}`, `mra-${id}`, `mrb-${id}`];
    const net = `10.${bytes[0]}.${bytes[1]}`;
    const made = new NetworkNamespace(name, `${net}.1`, `${net}.2`);
    try {
      await run('ip', ['netns', 'add', name]);
      await run('ip', ['link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name]);
      await run('ip', ['addr', 'add', `${made.outside}/30`, 'dev', near]);
      await run('ip', ['link', 'set', near, 'up']);
      await run('ip', ['-n', name, 'addr', 'add', `${made.inside}/30`, 'dev', far]);
      await run('ip', ['-n', name, 'link', 'set', far, 'up']);
      return made;
    } catch {
      await made[Symbol.asyncDispose]();
      return undefined;
    }
  }

  /** The command line that runs this one within. */
  command(command: string, args: readonly string[]): [string, string[]] {
    return ['ip', ['netns', 'exec', this.#name, command, ...args]];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The wire goes with one of its ends.
    await run('ip', ['netns', 'del', this.#name]).catch(() => undefined);
  }
}
