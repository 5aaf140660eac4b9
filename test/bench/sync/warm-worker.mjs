import { readFile } from 'node:fs/promises';

import { encodeDayId } from '../../../src/domain/ids.ts';
import { dayOf, loginOf, openBenchCluster } from './bench-cluster.mjs';
import { LINEITEM } from './lineitem.mjs';

const POLL_MS = 20;
const TIMEOUT_MS = 3_600_000;
/** A kernel's clock tick, the unit of times in /proc. */
const TICK_MS = 10;

/** An installation with one worker, all of them processes as users start them; its store is on `servers.postgres`. */
export async function openWarmWorker(servers) {
  return new WarmWorker(await openBenchCluster(servers, { workers: 1, capacity: 1 }));
}

/** Runs syncs one after the other, each as an instance that the worker claims from a real api. */
class WarmWorker {
  cluster;
  #dataSources = new Set();
  #workflows = new Map();

  constructor(cluster) {
    this.cluster = cluster;
  }

  /**
   * What the worker said of the run, `seconds` from the claim to the end that the store knows, `cpuMs` of its
   * process. `during` is told the id of the instance once there is one.
   */
  async run(from, to, { database = LINEITEM.database, ...channel } = {}, during = () => {}) {
    const source = await this.#dataSource(from, database);
    const target = await this.#dataSource(to, database);
    const workflow = await this.#workflow({
      source: { dataSource: source, ...(from.reader ?? { table: LINEITEM.source }) },
      target: { dataSource: target, ...(to.writer ?? { table: LINEITEM.target, mode: 'append' }) },
      channel,
    });
    const before = await this.#cpuMs();
    const row = await this.#runDay(workflow, during);
    const cpuMs = (await this.#cpuMs()) - before;
    if (row.status !== 'succeeded') throw new Error(`${workflow.name} ${row.status}: ${row.error}`);
    const { sync, ...counts } = row.progress;
    return { ...counts, lane: sync.lane, slices: sync.slices, seconds: row.seconds, cpuMs };
  }

  /** How many rows the store has in quarantine; takes them out of it. */
  async quarantined() {
    return await this.cluster.database.run('DELETE FROM dirty_record');
  }

  async close() {
    await this.cluster[Symbol.asyncDispose]();
  }

  async #dataSource(end, database) {
    const { kind, root, port } = end;
    const isFile = kind === 'file';
    const name = isFile ? 'files' : `${kind}_${port}_${database}`;
    if (!this.#dataSources.has(name)) {
      const config = isFile ? { root } : loginOf(end, database);
      await this.cluster.addDataSource(name, kind, config);
      this.#dataSources.add(name);
    }
    return name;
  }

  async #workflow(config) {
    const key = JSON.stringify(config);
    const known = this.#workflows.get(key);
    if (known !== undefined) return known;
    const name = `sync_${this.#workflows.size}`;
    const id = await this.cluster.submit(name, { nodes: [{ id: 'copy', type: 'sync', config }] });
    const workflow = { id, name, runs: 0 };
    this.#workflows.set(key, workflow);
    return workflow;
  }

  async #runDay(workflow, during) {
    const day = dayOf(workflow.runs++);
    await this.cluster.runDays(workflow.id, [day]);
    const [key] = await this.cluster.database.rows(
      `SELECT plan_day AS "planDay", id FROM node_instance WHERE workflow_id = $1 AND bizdate = $2`,
      [workflow.id, day],
    );
    during(encodeDayId('inst', key));
    let row;
    await this.cluster.until(
      TIMEOUT_MS,
      workflow.name,
      async () => {
        [row] = await this.cluster.database.rows(
          `SELECT i.status, a.result -> 'progress' AS progress,
                  concat_ws(' ', a.error_code, a.error_detail) AS error,
                  extract(epoch FROM i.ended_at - i.dispatched_at)::float8 AS seconds
             FROM node_instance i
             JOIN attempt a ON a.plan_day = i.plan_day AND a.instance_id = i.id AND a.epoch = i.epoch
            WHERE i.workflow_id = $1 AND i.bizdate = $2 AND i.ended_at IS NOT NULL`,
          [workflow.id, day],
        );
        return row !== undefined;
      },
      POLL_MS,
    );
    return row;
  }

  /** Of all threads of the worker's process. */
  async #cpuMs() {
    const text = await readFile(`/proc/${this.cluster.processes.pid('w1')}/stat`, 'utf8');
    // What follows the name of the program, which may hold spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }
}
