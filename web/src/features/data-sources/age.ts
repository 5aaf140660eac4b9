export interface Age {
  readonly count: number;
  readonly unit: 'seconds' | 'minutes' | 'hours' | 'days';
}

/** How long ago it was, in the largest unit that it fills. */
export function ageOf(at: string, nowMs: number): Age {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(at)) / 1_000));
  if (seconds < 60) return { count: seconds, unit: 'seconds' };
  if (seconds < 3_600) return { count: Math.floor(seconds / 60), unit: 'minutes' };
  if (seconds < 86_400) return { count: Math.floor(seconds / 3_600), unit: 'hours' };
  return { count: Math.floor(seconds / 86_400), unit: 'days' };
}
