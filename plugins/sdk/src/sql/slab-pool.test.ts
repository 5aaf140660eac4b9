import { describe, expect, test } from '@jest/globals';

import { SlabPool } from './slab-pool.js';

describe('a pool of slabs', () => {
  test('gives the memory of one again that came back, and new memory while it is out', () => {
    const pool = new SlabPool();
    const first = pool.take(100).fill('first');
    expect(pool.take(100).fill('other')).not.toBe(first);
    pool.giveBack(first);
    expect(pool.take(100).subarray(0, 10).toString()).toBe('firstfirst');
  });

  test('leaves nothing in the hands of who had a part', () => {
    const pool = new SlabPool();
    const slab = pool.take(100).fill('x');
    const part = slab.subarray(10, 20);
    pool.giveBack(slab);
    pool.take(100).fill('y');
    expect(part).toHaveLength(0);
    expect(Buffer.from(part).toString()).toBe('');
    expect(() => part.readUInt32BE(0)).toThrow('outside buffer bounds');
  });

  test('takes a slab back once, however often it comes', () => {
    const pool = new SlabPool();
    const slab = pool.take(100);
    pool.giveBack(slab.fill('x'));
    pool.giveBack(slab);
    const one = pool.take(100).fill('y');
    pool.take(100).fill('z');
    expect(one.toString()).toBe('y'.repeat(100));
  });

  test('cuts few bytes off as a copy, and many as a part that is out until its release', () => {
    const pool = new SlabPool();
    const slab = pool.take(100).fill('x');
    const few = pool.cut(slab, 49);
    expect(few.release).toBeUndefined();
    const many = pool.cut(slab, 50);
    slab.fill('y');
    expect([few, many].map(({ data }) => data.toString())).toEqual([
      'x'.repeat(49),
      'y'.repeat(50),
    ]);
    many.release?.();
    expect([few, many].map(({ data }) => data.length)).toEqual([49, 0]);
  });

  test('keeps none of another size: of a row that was larger, or of before a limit was set', () => {
    const pool = new SlabPool();
    const small = pool.take(100);
    pool.giveBack(Buffer.alloc(1000));
    expect(pool.take(100)).toHaveLength(100);
    pool.giveBack(small);
    expect(pool.take(50)).toHaveLength(50);
    expect(pool.take(50)).toHaveLength(50);
  });
});
