export interface Step<S> {
  /** What happened, as a trace tells it. */
  readonly action: string;
  readonly state: S;
  /** What this step alone breaks, whatever the states before and after look like. */
  readonly breaks?: string;
}

/** States and all that may happen in them. */
export interface Model<S> {
  readonly initial: S;
  steps(state: S): Iterable<Step<S>>;
  /** The same for states that differ in nothing that matters, e.g. in which of two workers is which. */
  key(state: S): string;
  /** What is wrong with a state; `undefined` when nothing is. */
  wrong(state: S): string | undefined;
  /** Nothing is left to do. Has to be reachable from everywhere. */
  isDone(state: S): boolean;
}

export interface Explored {
  readonly states: number;
  readonly steps: number;
  /** Steps from the initial state to the farthest one. */
  readonly depth: number;
  /** The shortest way to something that is wrong, and what it is. */
  readonly violation?: { readonly wrong: string; readonly trace: readonly string[] };
}

/**
 * Visits every state a model can get into, breadth first, until one is wrong or all have been seen. That
 * a state has no way to the end is wrong as well.
 */
export function explore<S>(model: Model<S>): Explored {
  const numbers = new Map<string, number>([[model.key(model.initial), 0]]);
  const cameFrom: { readonly parent: number; readonly action: string }[] = [
    { parent: -1, action: '' },
  ];
  const before: number[][] = [[]];
  const done: number[] = [];
  let steps = 0;
  let depth = 0;
  const traceTo = (number: number, last?: string): string[] => {
    const trace = last === undefined ? [] : [last];
    for (let at = number; at > 0; at = cameFrom[at]?.parent ?? 0)
      trace.unshift(cameFrom[at]?.action ?? '');
    return trace;
  };
  const result = (wrong?: string, trace: readonly string[] = []): Explored => ({
    states: numbers.size,
    steps,
    depth,
    ...(wrong === undefined ? {} : { violation: { wrong, trace } }),
  });
  let wave: { readonly number: number; readonly state: S }[] = [
    { number: 0, state: model.initial },
  ];
  for (; wave.length > 0; depth++) {
    const next: typeof wave = [];
    for (const { number, state } of wave) {
      if (model.isDone(state)) done.push(number);
      for (const step of model.steps(state)) {
        steps++;
        const wrong = step.breaks ?? model.wrong(step.state);
        if (wrong !== undefined) return result(wrong, traceTo(number, step.action));
        const key = model.key(step.state);
        let target = numbers.get(key);
        if (target === undefined) {
          target = numbers.size;
          numbers.set(key, target);
          cameFrom.push({ parent: number, action: step.action });
          before.push([]);
          next.push({ number: target, state: step.state });
        }
        before[target]?.push(number);
      }
    }
    wave = next;
  }
  const stuck = firstWithoutWay(before, done);
  return stuck === undefined ? result() : result('there is no way to the end', traceTo(stuck));
}

/** The first state from which none of `done` can be reached. */
function firstWithoutWay(
  before: readonly (readonly number[])[],
  done: readonly number[],
): number | undefined {
  const reaches = new Uint8Array(before.length);
  const queue = [...done];
  for (const number of queue) reaches[number] = 1;
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const number of before[next] ?? []) {
      if (reaches[number] === 1) continue;
      reaches[number] = 1;
      queue.push(number);
    }
  }
  const stuck = reaches.indexOf(0);
  return stuck < 0 ? undefined : stuck;
}
