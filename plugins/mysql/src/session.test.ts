import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { describe, expect, test } from '@jest/globals';

import { mysqlDataSourceSchema } from './config.js';
import { LocalFile } from './local-file.js';
import { Session } from './session.js';

const LOCAL_FILES = 0x80;
/** Protocol 4.1 with the old password plugin, and LOCAL INFILE. */
const CAPABILITIES = 0x0008_a28a;

function packet(sequence: number, ...payload: readonly (Buffer | string | number)[]): Buffer {
  const body = Buffer.concat(
    payload.map((p) => (typeof p === 'number' ? Buffer.from([p]) : Buffer.from(p))),
  );
  const header = Buffer.alloc(4);
  header.writeUIntLE(body.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, body]);
}

function greeting(): Buffer {
  const lower = Buffer.alloc(2);
  lower.writeUInt16LE(CAPABILITIES & 0xffff);
  const upper = Buffer.alloc(2);
  upper.writeUInt16LE(CAPABILITIES >>> 16);
  const login = Buffer.concat([Buffer.alloc(4, 1), Buffer.alloc(8, 0x41), Buffer.alloc(1)]);
  const rest = Buffer.concat([Buffer.from([21]), Buffer.alloc(10), Buffer.alloc(12, 0x42)]);
  const status = Buffer.from([45, 2, 0]);
  const plugin = '\0mysql_native_password\0';
  return packet(0, 10, '8.0.0-rogue\0', login, lower, status, upper, rest, plugin);
}

const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);

/** A server that lets everybody in and answers every statement by asking for a file of the client's. */
async function openRogue() {
  const seen = { capabilities: 0, sent: Buffer.alloc(0) };
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    let state: 'login' | 'command' | 'file' = 'login';
    let held = Buffer.alloc(0);
    socket.write(greeting());
    socket.on('data', (data) => {
      held = Buffer.concat([held, data]);
      while (held.length >= 4 && held.length >= 4 + held.readUIntLE(0, 3)) {
        const length = held.readUIntLE(0, 3);
        const sequence = held[3] ?? 0;
        const body = held.subarray(4, 4 + length);
        held = held.subarray(4 + length);
        if (state === 'login') {
          seen.capabilities = body.readUInt32LE(0);
          socket.write(packet(sequence + 1, OK));
          state = 'command';
        } else if (state === 'command') {
          socket.write(packet(sequence + 1, 0xfb, '/etc/passwd'));
          state = 'file';
        } else {
          seen.sent = Buffer.concat([seen.sent, body]);
          if (length > 0) continue;
          socket.write(packet(sequence + 1, OK));
          state = 'command';
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    seen,
    config: mysqlDataSourceSchema.parse({
      host: '127.0.0.1',
      port,
      user: 'u',
      password: 'p',
      database: 'd',
      tls: { mode: 'off' },
    }),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('a server that asks for files of this machine', () => {
  test('is not told that it may, where no LOAD DATA is meant', async () => {
    await using rogue = await openRogue();
    const session = await Session.open(rogue.config);
    expect(rogue.seen.capabilities & LOCAL_FILES).toBe(0);
    await expect(session.run('SELECT 1')).rejects.toMatchObject({ code: expect.any(String) });
    expect(rogue.seen.sent.toString()).toBe('');
    session.destroy();
  });

  test('gets nothing for another statement of a session that may load', async () => {
    await using rogue = await openRogue();
    const session = await Session.open(rogue.config, { local: true });
    expect(rogue.seen.capabilities & LOCAL_FILES).toBe(LOCAL_FILES);
    await expect(session.run('SELECT 1')).rejects.toMatchObject({ code: expect.any(String) });
    expect(rogue.seen.sent.toString()).toBe('');
    session.destroy();
  });

  test('gets the rows of the statement, whatever file it names', async () => {
    await using rogue = await openRogue();
    const session = await Session.open(rogue.config, { local: true });
    await session.loadLocal('LOAD DATA LOCAL …', LocalFile.of(Buffer.from('1\ta\n')));
    expect(rogue.seen.sent.toString()).toBe('1\ta\n');
    session.destroy();
  });
});
