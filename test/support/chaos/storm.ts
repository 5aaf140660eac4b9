import { setTimeout as sleep } from 'node:timers/promises';

import type { FaultyProxy } from '../faulty-proxy.js';
import type { OwnPostgres } from '../own-postgres.js';
import type { Processes } from '../processes.js';
import type { Fault, PlannedFault, Way } from './fault-plan.js';

export interface StormParts {
  readonly processes: Processes;
  readonly postgres: OwnPostgres;
  readonly ways: Readonly<Record<Way, FaultyProxy>>;
}

/** Lets faults happen. They overlap, but never two to the same thing. */
export class Storm {
  readonly #parts: StormParts;
  readonly #counts = new Map<string, number>();
  /** What is suffering, and until when. */
  readonly #busy = new Map<string, Promise<void>>();

  constructor(parts: StormParts) {
    this.#parts = parts;
  }

  /** How many of each kind there were, as text. */
  get summary(): string {
    return [...this.#counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
  }

  /** Resolves when the last fault is over and everything works again. */
  async rage(plan: readonly PlannedFault[]): Promise<void> {
    for (const { pauseMs, fault } of plan) {
      await sleep(pauseMs);
      const subject = subjectOf(fault);
      await this.#busy.get(subject);
      this.#counts.set(fault.kind, (this.#counts.get(fault.kind) ?? 0) + 1);
      this.#busy.set(subject, this.#suffer(fault));
    }
    await Promise.all(this.#busy.values());
  }

  async #suffer(fault: Fault): Promise<void> {
    const { processes, postgres, ways } = this.#parts;
    switch (fault.kind) {
      case 'kill':
        processes.kill(fault.process);
        return;
      case 'freeze':
        await processes.freeze(fault.process);
        await sleep(fault.holdMs);
        processes.thaw(fault.process);
        return;
      case 'cut':
        ways[fault.way].cut();
        return;
      case 'delay':
        ways[fault.way].delay(fault.delayMs);
        await sleep(fault.holdMs);
        ways[fault.way].heal();
        return;
      case 'lose answers':
        ways[fault.way].loseAnswers();
        await sleep(fault.holdMs);
        ways[fault.way].heal();
        return;
      case 'stop postgres':
        await postgres.server.stop();
        break;
      case 'kill postgres':
        postgres.kill();
        break;
      default:
        return fault satisfies never;
    }
    await sleep(fault.holdMs);
    await postgres.startAgain();
  }
}

function subjectOf(fault: Fault): string {
  if ('process' in fault) return fault.process;
  return 'way' in fault ? fault.way : 'postgres';
}
