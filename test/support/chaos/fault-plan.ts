import { seeded } from '../seeded.js';

/** The ways by which processes talk to each other and to the systems they read and write. */
export const WAYS = ['database', 'link', 'warehouse', 'target'] as const;
export type Way = (typeof WAYS)[number];

export type Fault =
  | { readonly kind: 'kill'; readonly process: string }
  | { readonly kind: 'freeze'; readonly process: string; readonly holdMs: number }
  | { readonly kind: 'cut'; readonly way: Way }
  | { readonly kind: 'delay'; readonly way: Way; readonly holdMs: number; readonly delayMs: number }
  | { readonly kind: 'lose answers'; readonly way: Way; readonly holdMs: number }
  | { readonly kind: 'stop postgres' | 'kill postgres'; readonly holdMs: number };

export interface PlannedFault {
  /** Since the fault before it. */
  readonly pauseMs: number;
  readonly fault: Fault;
}

export interface Cast {
  readonly schedulers: readonly string[];
  readonly workers: readonly string[];
  readonly leaseMs: number;
}

/** How often each kind comes among a hundred or so. */
const WEIGHTS = {
  'kill worker': 16,
  'kill scheduler': 8,
  'kill api': 5,
  'freeze worker': 12,
  'freeze scheduler': 8,
  'freeze api': 3,
  cut: 24,
  delay: 12,
  'lose answers': 12,
  'stop postgres': 3,
  'kill postgres': 3,
} as const;
type Kind = keyof typeof WEIGHTS;

/** The faults of one round and when each comes; the same for the same seed and cast. */
export function planFaults(seed: number, count: number, cast: Cast): PlannedFault[] {
  const chance = new Chance(seeded(seed));
  const kinds = Object.keys(WEIGHTS) as Kind[];
  const lots = kinds.flatMap((kind) => Array.from({ length: WEIGHTS[kind] }, () => kind));
  return Array.from({ length: count }, () => ({
    pauseMs: chance.between(200, 1600),
    fault: faultOf(chance.oneOf(lots), chance, cast),
  }));
}

function faultOf(kind: Kind, chance: Chance, { schedulers, workers, leaseMs }: Cast): Fault {
  switch (kind) {
    case 'kill worker':
      return { kind: 'kill', process: chance.oneOf(workers) };
    case 'kill scheduler':
      return { kind: 'kill', process: chance.oneOf(schedulers) };
    case 'kill api':
      return { kind: 'kill', process: 'api' };
    case 'freeze worker':
      return {
        kind: 'freeze',
        process: chance.oneOf(workers),
        holdMs: chance.between(1.2 * leaseMs, 2 * leaseMs),
      };
    case 'freeze scheduler':
      return {
        kind: 'freeze',
        process: chance.oneOf(schedulers),
        holdMs: chance.between(0.5 * leaseMs, 2 * leaseMs),
      };
    case 'freeze api':
      return {
        kind: 'freeze',
        process: 'api',
        holdMs: chance.between(0.5 * leaseMs, 1.5 * leaseMs),
      };
    case 'cut':
      return { kind, way: chance.oneOf(WAYS) };
    case 'delay':
      return {
        kind,
        way: chance.oneOf(WAYS),
        holdMs: chance.between(500, 2000),
        delayMs: chance.between(20, 300),
      };
    case 'lose answers':
      return { kind, way: chance.oneOf(WAYS), holdMs: chance.between(50, 800) };
    case 'stop postgres':
    case 'kill postgres':
      return { kind, holdMs: chance.between(0, 2 * leaseMs) };
    default:
      return kind satisfies never;
  }
}

/** Choices by chance, from one stream of random numbers. */
class Chance {
  readonly #next: () => number;

  constructor(next: () => number) {
    this.#next = next;
  }

  between(from: number, to: number): number {
    return Math.round(from + this.#next() * (to - from));
  }

  oneOf<T>(list: readonly T[]): T {
    const chosen = list[Math.floor(this.#next() * list.length)];
    if (chosen === undefined) throw new Error('there is nothing to choose from');
    return chosen;
  }
}
