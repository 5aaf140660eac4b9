/** The one source of "now" for scheduling decisions; tests move it. Leases never use it (engine rule 14). */
export interface Clock {
  now(): Date;
}
