import type { LocalDate } from './local-date.js';
import { zonedToInstant } from './zone.js';

/** The first instant of a local day; where clocks skip midnight, the instant at which they go on. */
export function startOfDay(date: LocalDate, zone: string): Date {
  const zoned = zonedToInstant(date, '00:00:00', zone);
  switch (zoned.kind) {
    case 'instant':
      return zoned.instant;
    case 'fold':
      return zoned.first;
    case 'gap':
      return zoned.resumesAt;
  }
}
