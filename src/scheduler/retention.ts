import type { Database, Sql } from '../store/database.js';
import type { LogStore } from '../store/log-store.js';
import { type KeepReason, reasonToKeep, isDayUnfinished } from '../store/sql/keep-reason.sql.js';
import { PARENTS_OF_INSTANCES } from '../store/sql/ensure-partitions.sql.js';
import {
  aloneWithDay,
  type DayPartition,
  firstKeptDays,
  type KeptDays,
  partitionsBefore,
  removePartition,
} from '../store/sql/remove-partitions.sql.js';
import { isDayRemoved, markRemoved } from '../store/sql/removed-day.sql.js';

export interface RetentionPorts {
  readonly database: Database;
  readonly logStore?: LogStore;
  readonly kept: KeptDays;
  readonly crashPoint: (name: string) => Promise<void>;
}

/** What a round has come to. */
export interface RetentionRound {
  /** Tables that are gone. */
  readonly removed: readonly string[];
  /** Plan days that stay, though their time is over. */
  readonly held: readonly { readonly day: string; readonly because: KeepReason }[];
  /** Somebody may still read what was to go; the next round goes on. */
  readonly isWaiting: boolean;
}

const OWNER_LOCK = 7_263_006;

/**
 * Removes what is older than it has to be kept (engine rules 1 and 13): one table after the other, each step
 * told by what is there, so that whoever comes after a killed process goes on where it stood. `undefined`
 * while another scheduler is at it.
 */
export async function removeOldDays(ports: RetentionPorts): Promise<RetentionRound | undefined> {
  return await ports.database.alone(OWNER_LOCK, (sql) => new Round(sql, ports).run());
}

class Round {
  readonly #sql: Sql;
  readonly #ports: RetentionPorts;
  readonly #removed: string[] = [];
  readonly #held: { day: string; because: KeepReason }[] = [];

  constructor(sql: Sql, ports: RetentionPorts) {
    this.#sql = sql;
    this.#ports = ports;
  }

  async run(): Promise<RetentionRound> {
    const first = await firstKeptDays(this.#sql, this.#ports.kept);
    const isDone =
      (await this.#removeEvents(first.events)) &&
      (await this.#removeInstances(first.instances, first.quarantine)) &&
      (await this.#removeLogs(first.logs));
    await this.#removeLogObjects(first.logs);
    return { removed: this.#removed, held: this.#held, isWaiting: !isDone };
  }

  async #removeEvents(before: string): Promise<boolean> {
    return await this.#removeAll(await partitionsBefore(this.#sql, ['event'], before));
  }

  async #removeInstances(before: string, quarantineFrom: string): Promise<boolean> {
    const parents = [...PARENTS_OF_INSTANCES, 'log_chunk'];
    const parts = await partitionsBefore(this.#sql, parents, before);
    const begun = parts.filter(({ state }) => state !== 'attached');
    if (!(await this.#removeAll(begun))) return false;
    const attached = parts.filter(({ state }) => state === 'attached');
    for (const day of new Set(attached.map((part) => part.day))) {
      const ofDay = attached.filter((part) => part.day === day);
      const isDone = await aloneWithDay(this.#sql, day, async () => {
        if (!(await this.#mayGo(day, quarantineFrom))) return true;
        return await this.#removeAll(ofDay);
      });
      if (isDone === false) return false;
    }
    return true;
  }

  async #mayGo(day: string, quarantineFrom: string): Promise<boolean> {
    if (await isDayRemoved(this.#sql, day)) return true;
    const because = await reasonToKeep(this.#sql, day, day >= quarantineFrom);
    if (because !== undefined) {
      this.#held.push({ day, because });
      return false;
    }
    await markRemoved(this.#sql, day);
    await this.#ports.crashPoint('retention:marked');
    return true;
  }

  async #removeLogs(before: string): Promise<boolean> {
    for (const part of await partitionsBefore(this.#sql, ['log_chunk'], before)) {
      const isDone = await aloneWithDay(this.#sql, part.day, async () =>
        (await isDayUnfinished(this.#sql, part.day)) ? true : await this.#removeAll([part]),
      );
      if (isDone === false) return false;
    }
    return true;
  }

  /** What a process has left that ended between the rows and the objects goes as well. */
  async #removeLogObjects(before: string): Promise<void> {
    const { logStore } = this.#ports;
    if (logStore === undefined) return;
    const old = (await logStore.days()).filter((day) => day < before);
    if (old.length === 0) return;
    const rows = await partitionsBefore(this.#sql, ['log_chunk'], before);
    const kept = new Set(rows.map((part) => part.day));
    for (const day of old) if (!kept.has(day)) await logStore.removeDay(day);
  }

  /** False when one is waited for: then none after it is begun. */
  async #removeAll(parts: readonly DayPartition[]): Promise<boolean> {
    for (const part of parts) {
      if (!(await removePartition(this.#sql, part))) return false;
      this.#removed.push(part.child);
      await this.#ports.crashPoint('retention:removed');
    }
    return true;
  }
}
