import { CallGatherer } from './call-gatherer.js';
import { sentLater } from './sent-later.js';
import type { AttemptRef, FinishReport, LogChunk, LogPiece, WorkerLink } from './worker-link.js';

/** Far below what the api takes in one body. */
const MAX_CALL_BYTES = 4 * 1024 * 1024;
const REF_BYTES = 100;

/**
 * The link of one worker on which its attempts share calls: a worker of many short attempts would otherwise
 * make three calls for each of them.
 */
export function gatheringLink(link: WorkerLink, workerId: number): WorkerLink {
  const started = new CallGatherer<AttemptRef, void>({
    send: (attempts) => link.started(workerId, attempts),
    maxWeight: MAX_CALL_BYTES,
    weightOf: () => REF_BYTES,
  });
  const log = new CallGatherer<LogChunk, void>({
    send: (chunks) => link.log(workerId, chunks),
    maxWeight: MAX_CALL_BYTES,
    weightOf,
  });
  const finish = new CallGatherer<Gathered, readonly AttemptRef[]>({
    send: (reports) =>
      link.finish(
        workerId,
        reports.map(({ report, at }) => sentLater(report, performance.now() - at)),
      ),
    maxWeight: MAX_CALL_BYTES,
    weightOf: ({ report: { log = [], ...report } }) =>
      log.reduce((sum, each) => sum + weightOf(each), JSON.stringify(report).length),
  });
  return {
    register: (hello) => link.register(hello),
    poll: (ask, signal) => link.poll(ask, signal),
    renew: (renewal) => link.renew(renewal),
    control: (ask) => link.control(ask),
    started: async (_, attempts) => {
      await Promise.all(attempts.map((attempt) => started.send(attempt)));
    },
    finish: async (_, reports) => {
      const refused = new Set<string>();
      const at = performance.now();
      for (const answer of await Promise.all(reports.map((report) => finish.send({ report, at }))))
        for (const ref of answer) refused.add(keyOf(ref));
      return reports.filter((report) => refused.has(keyOf(report)));
    },
    log: async (_, chunks) => {
      await Promise.all(chunks.map((chunk) => log.send(chunk)));
    },
    quarantine: (...args) => link.quarantine(...args),
    keepOutputs: (...args) => link.keepOutputs(...args),
    answer: (...args) => link.answer(...args),
    goodbye: (...args) => link.goodbye(...args),
  };
}

interface Gathered {
  readonly report: FinishReport;
  /** Milliseconds of this process when it was given. */
  readonly at: number;
}

function weightOf({ body, grams = '' }: LogPiece): number {
  return REF_BYTES + body.length + grams.length;
}

function keyOf(ref: AttemptRef): string {
  return `${ref.instanceId}:${ref.epoch}`;
}
