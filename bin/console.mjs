import { performance } from 'node:perf_hooks';

/** Seconds since this process began, as text. */
export function elapsed() {
  return `${(performance.now() / 1000).toFixed(1)} s`;
}

/**
 * One line of progress that counts the seconds; where the output is no terminal, one line at the end.
 * @param {string} what
 * @returns {(outcome: string) => void} ends the line
 */
export function progress(what) {
  const start = performance.now();
  const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
  const draw = () => process.stderr.write(`\r${what} … ${seconds()} s `);
  const timer = process.stderr.isTTY ? setInterval(draw, 200) : undefined;
  if (timer === undefined) process.stderr.write(`${what} …\n`);
  return (outcome) => {
    clearInterval(timer);
    process.stderr.write(`${timer === undefined ? '' : '\r'}${what}: ${outcome}, ${seconds()} s\n`);
  };
}

/**
 * Prints a one-line reason and what to do, and ends the process.
 * @param {string} reason
 * @returns {never}
 */
export function fail(reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}
