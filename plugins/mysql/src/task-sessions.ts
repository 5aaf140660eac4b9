import type { AttemptIdentity } from '@millrace/sdk';

import { endThread, tagTask } from './fence.js';
import type { Session } from './session.js';

/** The connections of a job's tasks, beside the job's own. */
export class TaskSessions {
  readonly #open = new Set<Session>();

  /** Tags it, so that a newer attempt finds it. */
  async add(session: Session, identity: AttemptIdentity, no: number): Promise<void> {
    this.#open.add(session);
    await tagTask(session, identity, no);
  }

  delete(session: Session): void {
    this.#open.delete(session);
  }

  /** Ends those that are left also on the server: an open transaction would keep its table from being dropped. */
  async endAll(by: Session): Promise<void> {
    for (const task of this.#open) {
      task.destroy();
      await endThread(by, task.threadId);
    }
  }
}
