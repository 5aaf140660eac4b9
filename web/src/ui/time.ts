/** `1m 04s`, `3h 02m`, `850 ms`: tabular, the two largest units. */
export function formatDuration(ms: number): string {
  if (ms < 0) return '0 ms';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  if (seconds < 86_400)
    return `${Math.floor(seconds / 3_600)}h ${pad(Math.floor((seconds % 3_600) / 60))}m`;
  return `${Math.floor(seconds / 86_400)}d ${pad(Math.floor((seconds % 86_400) / 3_600))}h`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatIn(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  // sv-SE writes ISO order, 24 hours: the same in every language of the console.
  const made = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, ...options });
  formats.set(key, made);
  return made;
}

/** `2026-01-10 00:30:05` in the zone. */
export function formatInstant(at: string | number | Date, zone: string): string {
  return formatIn(zone, { dateStyle: 'short', timeStyle: 'medium' }).format(new Date(at));
}

/** `00:30:05` in the zone. */
export function formatTime(at: string | number | Date, zone: string): string {
  return formatIn(zone, { timeStyle: 'medium' }).format(new Date(at));
}

/** `YYYY-MM-DD` of the instant in the zone. */
export function dateIn(at: string | number | Date, zone: string): string {
  return formatIn(zone, { dateStyle: 'short' }).format(new Date(at));
}

/** The business date `days` later (or earlier). */
export function addDays(bizdate: string, days: number): string {
  const at = new Date(`${bizdate}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}
