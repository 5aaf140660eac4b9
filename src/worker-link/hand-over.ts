import type { Sql } from '../store/database.js';
import type { TakenPoll, WaitingPolls } from './waiting-polls.js';
import type { Claim } from './worker-link.js';

/**
 * Gives what one transaction makes ready to workers that wait for it, in that transaction: a downstream starts
 * one commit after the end of its upstream instead of two. What could only be given after waiting for a lock is
 * left to the workers, who are told to look.
 */
export class HandOver {
  readonly #polls: WaitingPolls;
  readonly #claim: (tx: Sql, poll: TakenPoll) => Promise<readonly Claim[]>;
  /** By resource group. */
  readonly #taken = new Map<number, TakenPoll>();
  readonly #claims = new Map<TakenPoll, readonly Claim[]>();
  #hasFailed = false;

  constructor(polls: WaitingPolls, claim: (tx: Sql, poll: TakenPoll) => Promise<readonly Claim[]>) {
    this.#polls = polls;
    this.#claim = claim;
  }

  /** It must not keep the ends from being written: with it they are not, and may be without it. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** A poll that asks now, before those of its group that wait. */
  take(poll: TakenPoll): void {
    this.#taken.set(poll.worker.resourceGroupId, poll);
  }

  /** For these groups and for who asks; to be called again where the transaction is. */
  async claim(tx: Sql, groups: Iterable<number>): Promise<void> {
    this.#claims.clear();
    for (const group of new Set([...this.#taken.keys(), ...groups])) {
      const poll = this.#taken.get(group) ?? this.#polls.take(group);
      if (poll === undefined) continue;
      this.#taken.set(group, poll);
      try {
        this.#claims.set(poll, await this.#claim(tx, poll));
      } catch (error) {
        this.#hasFailed = true;
        throw error;
      }
    }
  }

  /** Tells the polls, once it is known whether the transaction was committed. True: one of them was given something. */
  end(isCommitted: boolean): boolean {
    let hasGiven = false;
    for (const poll of this.#taken.values()) {
      const claims = isCommitted ? (this.#claims.get(poll) ?? []) : [];
      hasGiven ||= claims.length > 0;
      poll.give(claims);
    }
    this.#taken.clear();
    return hasGiven;
  }
}
