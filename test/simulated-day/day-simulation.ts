import type { Claim, FinishReport } from '../../src/worker-link/worker-link.js';
import type { FakeWorker, Line } from '../support/line.js';

export interface SimulationCounts {
  claims: number;
  failures: number;
  returned: number;
  repeated: number;
}

/** Lets the clock run in steps and does at each what the loops and a worker of the product would do. */
export class DaySimulation {
  readonly counts: SimulationCounts = { claims: 0, failures: 0, returned: 0, repeated: 0 };
  readonly #line: Line;
  readonly #worker: FakeWorker;
  readonly #random: () => number;

  constructor(line: Line, worker: FakeWorker, random: () => number) {
    this.#line = line;
    this.#worker = worker;
    this.#random = random;
  }

  /** One step: what is due is planned, released, run and ended, until nothing moves at this time. */
  async step(ms: number): Promise<void> {
    this.#line.clock.advance(ms);
    await this.#line.generator.generateDue();
    for (;;) {
      await this.#line.release();
      const claims = await this.#worker.claim(200);
      if (claims.length === 0) return;
      this.counts.claims += claims.length;
      await this.#finish(claims.map((claim) => this.#reportOf(claim)));
    }
  }

  /** A few attempts fail, and are retried a minute later; a few are given back. */
  #reportOf({ planDay, instanceId, epoch, attempt }: Claim): FinishReport {
    const report = { planDay, instanceId, epoch };
    const chance = this.#random();
    if (attempt === 1 && chance < 0.05) {
      this.counts.failures += 1;
      return { ...report, outcome: 'failed', errorCode: 'MR-D102', errorDetail: 'away' };
    }
    if (attempt === 1 && chance < 0.1) {
      this.counts.returned += 1;
      return { ...report, outcome: 'returned' };
    }
    return { ...report, outcome: 'succeeded', rows: 1 };
  }

  /** Some reports arrive twice: the second one is refused and changes nothing. */
  async #finish(reports: readonly FinishReport[]): Promise<void> {
    const { link, workerId } = this.#worker;
    await link.finish(workerId, reports);
    const again = reports.filter(({ outcome }) => outcome === 'succeeded' && this.#random() < 0.05);
    if (again.length === 0) return;
    const refused = await link.finish(workerId, again);
    if (refused.length !== again.length) throw new Error('a second report of an attempt was taken');
    this.counts.repeated += again.length;
  }
}
