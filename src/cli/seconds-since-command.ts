/** Seconds since the command was given, as text: the launcher of `npm start` runs in this very process. */
export function secondsSinceCommand(): string {
  return (performance.now() / 1000).toFixed(1);
}
