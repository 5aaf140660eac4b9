import { randomInt } from 'node:crypto';

/** The seed of this run: MILLRACE_TEST_SEED to repeat one, chance otherwise. */
export function testSeed(): number {
  const given = process.env['MILLRACE_TEST_SEED'];
  return given === undefined ? randomInt(2 ** 31) : Number(given);
}

/** Random numbers from 0 to below 1; the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  // mulberry32: small, and good enough to spread kills.
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` different whole numbers from 1 to `upTo`, ascending; the same for the same seed. */
export function seededNumbers(seed: number, count: number, upTo: number): number[] {
  const numbers = Array.from({ length: upTo }, (_, no) => no + 1);
  const next = seeded(seed);
  for (let at = upTo - 1; at > 0; at--) {
    const other = Math.floor(next() * (at + 1));
    [numbers[at], numbers[other]] = [numbers[other] ?? 0, numbers[at] ?? 0];
  }
  return numbers.slice(0, count).sort((a, b) => a - b);
}
