/** The p-th percentile (0 to 1) of the numbers, by nearest rank; NaN for none. */
export function percentile(numbers, p) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? Number.NaN;
}

/** Gathers figures, prints them as a table and, where it is asked for, as JSON in the last line. */
export class Figures {
  #figures = [];

  add(name, value, unit, how) {
    this.#figures.push({ name, value: Math.round(value * 100) / 100, unit, how });
  }

  /** The values of those of these figures that were taken. */
  valuesOf(names) {
    return this.#figures.flatMap(({ name, value }) => (names.includes(name) ? [value] : []));
  }

  print(bench, machine, isJson) {
    const width = Math.max(...this.#figures.map(({ name }) => name.length));
    process.stdout.write(`\n${bench}, on ${machine}\n`);
    for (const { name, value, unit, how } of this.#figures)
      process.stdout.write(
        `  ${name.padEnd(width)}  ${String(value).padStart(9)} ${unit.padEnd(6)} ${how}\n`,
      );
    if (!isJson) return;
    const figures = this.#figures.map(({ name, value, unit }) => ({ name, value, unit }));
    process.stdout.write(`${JSON.stringify({ bench, figures })}\n`);
  }
}
