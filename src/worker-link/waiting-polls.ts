import type { PollingWorker } from './claim-instances.js';
import type { Claim, PollAsk } from './worker-link.js';

/** A poll that was taken: whoever has it owes it an answer, of no claims if need be. */
export interface TakenPoll {
  readonly ask: PollAsk;
  readonly worker: PollingWorker;
  give(claims: readonly Claim[]): void;
}

interface WaitingPoll {
  readonly ask: PollAsk;
  readonly worker: PollingWorker;
  readonly wake: () => void;
  given: Promise<readonly Claim[]> | undefined;
}

/** The polls of this process that have found nothing and wait, in the order in which they began to. */
export class WaitingPolls {
  readonly #ofGroup = new Map<number, Set<WaitingPoll>>();

  /** `wake` is called when it was given something, or found out that it is not. */
  add(ask: PollAsk, worker: PollingWorker, wake: () => void): { end(): Promise<readonly Claim[]> } {
    const poll: WaitingPoll = { ask, worker, wake, given: undefined };
    const group = this.#ofGroup.get(worker.resourceGroupId) ?? new Set();
    this.#ofGroup.set(worker.resourceGroupId, group.add(poll));
    return {
      /** It waits no more; resolves with what it was given, once that is decided. */
      end: async () => {
        group.delete(poll);
        return (await poll.given) ?? [];
      },
    };
  }

  /** The one of the group that has waited longest. */
  take(resourceGroupId: number): TakenPoll | undefined {
    const group = this.#ofGroup.get(resourceGroupId);
    const [poll] = group ?? [];
    if (group === undefined || poll === undefined) return undefined;
    group.delete(poll);
    let decide: (claims: readonly Claim[]) => void = () => undefined;
    poll.given = new Promise((resolve) => (decide = resolve));
    return {
      ask: poll.ask,
      worker: poll.worker,
      give: (claims) => {
        decide(claims);
        poll.wake();
      },
    };
  }
}
