import { setTimeout as sleep } from 'node:timers/promises';

import { encodeId } from '../../../src/domain/ids.js';
import type { Cluster } from '../cluster.js';

const REST_MS = 300;
const PATH = '/workspaces/sample/workflows';

interface Deployed {
  readonly id: number;
  readonly timezone: string;
  /** Its place in the chain of its zone. */
  readonly no: number;
}

/**
 * Scheduled workflows that are submitted again and again, each time with other nodes, and patched into the plan
 * that is there already. Those of one zone wait for each other in a row; each zone has a plan of its own.
 */
export class Deploys {
  readonly #cluster: Cluster;
  readonly #workflows: Deployed[] = [];
  #deploys = 0;
  #patches = 0;
  #loop: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  get deploys(): number {
    return this.#deploys;
  }

  get patches(): number {
    return this.#patches;
  }

  /** A row of workflows in a zone that had none. */
  async addZone(timezone: string, count: number): Promise<void> {
    for (let no = 0; no < count; no++) {
      const deployed = { timezone, no, id: await this.#ensureWorkflow(timezone, no) };
      await this.#submit(deployed, false);
      this.#workflows.push(deployed);
    }
  }

  /** Deploys one workflow after the other; whatever is refused meanwhile is tried again with the next. */
  start(): void {
    this.#loop = this.#deployAll();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#loop;
  }

  async #deployAll(): Promise<void> {
    for (let turn = 0; !this.#isStopping; turn++) {
      await sleep(REST_MS);
      const deployed = this.#workflows[turn % this.#workflows.length];
      if (deployed === undefined) continue;
      try {
        await this.#submit(deployed, Math.floor(turn / this.#workflows.length) % 2 === 0);
        this.#deploys++;
        await this.#patch(deployed);
        this.#patches++;
      } catch {
        // The api or the database is away, the plan is still being made, or it has changed since the preview.
      }
    }
  }

  async #ensureWorkflow(timezone: string, no: number): Promise<number> {
    const [row] = await this.#cluster.database.rows<{ id: number }>(
      `INSERT INTO workflow (workspace_id, name, draft, scheduled)
       SELECT id, $1, '{}', true FROM workspace WHERE name = 'sample'
       ON CONFLICT (workspace_id, name) DO UPDATE SET scheduled = true RETURNING id`,
      [nameOf(timezone, no)],
    );
    return row?.id ?? 0;
  }

  async #submit({ id, timezone, no }: Deployed, isLonger: boolean): Promise<void> {
    await this.#cluster.database.run(`UPDATE workflow SET draft = $2 WHERE id = $1`, [
      id,
      JSON.stringify({
        timezone,
        nodes: [
          {
            id: 'first',
            type: 'virtual',
            needs: no === 0 ? [] : [{ workflow: nameOf(timezone, no - 1), node: 'first' }],
          },
          { id: 'second', type: 'virtual', needs: ['first'] },
          ...(isLonger ? [{ id: 'third', type: 'virtual', needs: ['second', 'first'] }] : []),
        ],
      }),
    ]);
    await this.#cluster.send('POST', `${PATH}/${encodeId('wf', id)}/submit`, {});
  }

  async #patch({ id }: Deployed): Promise<void> {
    const path = `${PATH}/${encodeId('wf', id)}`;
    const preview = await this.#cluster.send('POST', `${path}/preview-plan`, {});
    const { planToken } = (await preview.json()) as { planToken: string };
    await this.#cluster.send('POST', `${path}/patch-plan`, { planToken });
  }
}

function nameOf(timezone: string, no: number): string {
  return `${timezone.replaceAll(/\W/g, '_').toLowerCase()}_${no}`;
}
