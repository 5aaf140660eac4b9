import { mkdirSync } from 'node:fs';
import { isMainThread, parentPort } from 'node:worker_threads';
import { crashPlanOf, crashPointsOf } from '../../dataplane/crash-point.js';

import type { ChannelNews } from '../../domain/channel/channel-change.js';
import type { AttemptJob } from './attempt-job.js';
import { AttemptLog } from './attempt-log.js';
import type { FromAttempt, ToAttempt } from './attempt-protocol.js';
import { runAttempt } from './run-attempt.js';

/** The inside of one thread or process: one attempt at a time, told what to do by messages. */
class AttemptRunner {
  readonly #send: (message: FromAttempt) => void;
  readonly #crashPoint = crashPointsOf(crashPlanOf(process.env));
  readonly #unkept = new Map<number, (error: string | undefined) => void>();
  #cancel: AbortController | undefined;
  #log: AttemptLog | undefined;
  #keepNo = 0;
  #news: ChannelNews | undefined;
  #hearNews: ((news: ChannelNews) => void) | undefined;

  constructor(send: (message: FromAttempt) => void) {
    this.#send = send;
  }

  receive(message: ToAttempt): void {
    switch (message.tag) {
      case 'run':
        void this.#run(message.job, message.workDir);
        return;
      case 'cancel':
        this.#cancel?.abort(new Error(message.reason));
        return;
      case 'news':
        this.#news = message.news;
        this.#hearNews?.(message.news);
        return;
      case 'log-taken':
        this.#log?.taken(message.bytes);
        return;
      case 'kept':
        this.#unkept.get(message.no)?.(message.error);
        this.#unkept.delete(message.no);
        return;
      default:
        message satisfies never;
    }
  }

  async #run(job: AttemptJob, workDir: string): Promise<void> {
    const cancel = new AbortController();
    const log = new AttemptLog(
      (entries) => this.#send({ tag: 'log', entries }),
      () => Date.now(),
    );
    this.#cancel = cancel;
    this.#log = log;
    this.#news = job.news;
    this.#hearNews = undefined;
    let hasFolder = false;
    const outcome = await runAttempt(job, {
      log,
      get workDir() {
        // Nearly no attempt in a thread wants one, and making and removing it costs more than a short attempt.
        if (!hasFolder) mkdirSync(workDir, { recursive: true, mode: 0o700 });
        hasFolder = true;
        return workDir;
      },
      signal: cancel.signal,
      progress: (progress) => this.#send({ tag: 'progress', progress }),
      line: {
        listen: (hear) => {
          this.#hearNews = hear;
          if (this.#news !== undefined) hear(this.#news);
        },
        demand: (demands) => this.#send({ tag: 'demand', demands }),
      },
      answer: (part) => this.#send({ tag: 'answer', part }),
      keepDirty: (records) => this.#keep((no) => ({ tag: 'dirty', no, records })),
      keepOutputs: (outputs) => this.#keep((no) => ({ tag: 'outputs', no, outputs })),
      crashPoint: (name) => this.#crashPoint(name, job.identity.instanceId),
    });
    log.close();
    this.#send({ tag: 'end', outcome, hasFolder });
  }

  #keep(messageOf: (no: number) => FromAttempt): Promise<void> {
    this.#keepNo += 1;
    const no = this.#keepNo;
    return new Promise((resolve, reject) => {
      this.#unkept.set(no, (error) => (error === undefined ? resolve() : reject(new Error(error))));
      this.#send(messageOf(no));
    });
  }
}

if (isMainThread) {
  const runner = new AttemptRunner((message) => process.send?.(message));
  process.on('message', (message) => runner.receive(message as ToAttempt));
  // The worker is gone: nobody may go on writing for it.
  process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'));
} else if (parentPort) {
  const port = parentPort;
  const runner = new AttemptRunner((message) => port.postMessage(message));
  port.on('message', (message: ToAttempt) => runner.receive(message));
  port.postMessage({ tag: 'ready' } satisfies FromAttempt);
}
