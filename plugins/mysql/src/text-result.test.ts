import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { TextResult } from './text-result.js';

const ROWS = 60;
const END = Buffer.from([5, 0, 0, 9, 0xfe, 0, 0, 2, 0]);

function packet(payload: Buffer): Buffer {
  const header = Buffer.from([0, 0, 0, 0]);
  header.writeUIntLE(payload.length, 0, 3);
  return Buffer.concat([header, payload]);
}

/** Small numbers that are the same in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647);
}

function result(next: () => number): { readonly bytes: Buffer; readonly rows: string[] } {
  const rows = Array.from({ length: ROWS }, (_, no) => `${no}:${'x'.repeat(next() % 300)}`);
  const cells = rows.map((row) => packet(Buffer.from(`\u0001${row}`)));
  const before = [packet(Buffer.from([1])), packet(Buffer.from('column')), END];
  return { bytes: Buffer.concat([...before, ...cells, END]), rows };
}

test.each(Array.from({ length: 24 }, (_, no) => no + 1))(
  'rows that come in pieces cut anywhere, with waits between them, are all there once (seed %i)',
  async (seed) => {
    const next = numbers(seed * 7919);
    const { bytes, rows } = result(next);
    const socket = new Socket();
    const found: string[] = [];
    let told: Buffer | undefined;
    socket.on('data', (data: Buffer) => (told = data));
    const failed = new Promise<never>((_, reject) => {
      void new TextResult(
        socket,
        {
          row: (input, from, to) => found.push(input.toString('latin1', from + 1, to)),
          full: () =>
            next() % 9 === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined,
        },
        reject,
      );
    });
    const largest = [3, 40, 500, 5000][seed % 4] ?? 1;
    for (let at = 0; at < bytes.length;) {
      const to = at + 1 + (next() % largest);
      socket.emit('data', bytes.subarray(at, to));
      at = to;
      if (next() % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const over = async (): Promise<void> => {
      while (told === undefined) await new Promise((resolve) => setImmediate(resolve));
    };
    await Promise.race([over(), failed]);
    expect(found).toEqual(rows);
  },
);
