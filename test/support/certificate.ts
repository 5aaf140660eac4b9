import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate of an authority that nobody trusts who is not told to. */
export class Certificate implements AsyncDisposable {
  /** The certificate of the authority, as PEM. */
  readonly caFile: string;
  readonly key: Buffer;
  readonly chain: Buffer;
  readonly #folder: string;

  private constructor(folder: string, key: Buffer, chain: Buffer) {
    this.caFile = join(folder, 'ca.pem');
    this.key = key;
    this.chain = chain;
    this.#folder = folder;
  }

  /** For a server of this name or address. */
  static async make(host: string): Promise<Certificate> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-tls-'));
    const openssl = async (...args: string[]): Promise<unknown> =>
      await run('openssl', args, { cwd: folder });
    const key = ['-newkey', 'rsa:2048', '-nodes'];
    const authority = ['-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test authority'];
    await openssl('req', '-x509', '-days', '2', ...key, ...authority);
    await openssl('req', ...key, '-keyout', 'key', '-out', 'csr', '-subj', '/CN=millrace');
    const kind = isIP(host) === 0 ? 'DNS' : 'IP';
    await writeFile(join(folder, 'names'), `subjectAltName=${kind}:${host}\n`);
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names'];
    await openssl('x509', '-req', '-in', 'csr', '-days', '2', '-out', 'chain', ...signed);
    return new Certificate(
      folder,
      await readFile(join(folder, 'key')),
      await readFile(join(folder, 'chain')),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
