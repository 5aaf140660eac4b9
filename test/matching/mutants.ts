import { readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';

import ts from 'typescript';

import type { Matcher } from './matcher.js';

const SOURCE = new URL('../../src/domain/graph/match-cycles.ts', import.meta.url);

/** A small wrong edit of `match-cycles.ts`: what stands there, once, and what the mutant has instead. */
export type Mutation = readonly [from: string, to: string];

export const MUTATIONS: readonly Mutation[] = [
  ['DAY_MS = 86_400_000', 'DAY_MS = 43_200_000'],
  ['HOUR_MS = 3_600_000', 'HOUR_MS = 3_600_001'],
  ['cycles.length < 2', 'cycles.length < 3'],
  [
    `upPeriod === 'day' || options.upSelfDependent === true\n          ?`,
    `upPeriod === 'day'\n          ?`,
  ],
  [': sameZone\n', ': !sameZone\n'],
  ['(ups.length > 0 ? ups : nearest(upCycles, down))', 'ups'],
  [
    'downSelfDependent === true ? downCycles.slice(0, 1)',
    'downSelfDependent === true ? downCycles.slice(-1)',
  ],
  ['downPeriod === upPeriod && sameZone &&', 'downPeriod === upPeriod &&'],
  ['return downPeriod === upPeriod && sameZone', 'return sameZone'],
  ['downCycles.length === upCycles.length;', 'downCycles.length <= upCycles.length;'],
  [
    `downPeriod === 'minute' && upPeriod === 'hour'`,
    `upPeriod === 'minute' && downPeriod === 'hour'`,
  ],
  ['downCycles[i - 1]?.scheduledAt.getTime() ??', 'downCycles[i - 2]?.scheduledAt.getTime() ??'],
  ['(i === 0 && !sameZone)', '(i === 0 && sameZone)'],
  ['isShared || options.upSelfDependent === true ||', 'isShared ||'],
  ['(window.length > 0 ? window : nearest(upCycles, down))', 'window'],
  [
    'findLastIndex((up) => up.scheduledAt <= down.scheduledAt)',
    'findLastIndex((up) => up.scheduledAt < down.scheduledAt)',
  ],
  ['upCycles.findLastIndex(', 'upCycles.findIndex('],
  ['up.scheduledAt.getTime() > since', 'up.scheduledAt.getTime() >= since'],
  ['since && up.scheduledAt <= down.scheduledAt', 'since && up.scheduledAt < down.scheduledAt'],
  ['takesLast ? before.slice(-1)', 'takesLast ? before.slice(0, 1)'],
  ['byOrdinal || up.scheduledAt <= previous.scheduledAt', 'true'],
  ['const previous = downCycles[i - 1];', 'const previous = downCycles[i];'],
  ['upCycles.indexOf(first) - 1', 'upCycles.indexOf(first)'],
  ['down.scheduledAt.getTime() - DAY_MS),\n  }));', 'down.scheduledAt.getTime()),\n  }));'],
  ['i === 0 ? lastBefore : cycles[i - 1]', 'i === 0 ? undefined : cycles[i - 1]'],
];

/** The matcher as it would be with that edit. RangeError when its text does not stand there exactly once. */
export function mutantOf([from, to]: Mutation): Matcher {
  const parts = readFileSync(SOURCE, 'utf8').split(from);
  if (parts.length !== 2) {
    throw new RangeError(`"${from}" stands in match-cycles.ts ${parts.length - 1} times`);
  }
  const { outputText } = ts.transpileModule(parts.join(to), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 },
  });
  const exported = {} as Matcher;
  compileFunction(outputText, ['exports'])(exported);
  return exported;
}
