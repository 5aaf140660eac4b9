import { emptyTarget } from './lineitem.mjs';

const BYTES_PER_SECOND = 3 * 1024 * 1024;
const ROWS = 200_000;

export const RATE_CASE = 'rate-limit';

/**
 * How far a sync is from the rate it is limited to: of two runs, the bytes that one has more by the seconds
 * that it takes longer, so that what a run does before its first row does not count. Adds to `figures`.
 */
export async function benchRateLimit({ servers, worker, figures, say }) {
  const { mysql, postgres } = servers;
  const measure = async (rows) => {
    await emptyTarget(postgres);
    const from = { ...mysql, reader: { table: 'src', where: `id <= ${rows}` } };
    const run = await worker.run(from, postgres, {
      rateLimit: { bytesPerSecond: BYTES_PER_SECOND },
    });
    if (run.rowsWritten !== rows) throw new Error(`${run.rowsWritten} rows, not ${rows}`);
    return run;
  };
  const half = await measure(ROWS / 2);
  const whole = await measure(ROWS);
  const perSecond = (whole.bytes - half.bytes) / (whole.seconds - half.seconds);
  const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(3);
  say(`${RATE_CASE} ${megabytes(perSecond)} MB/s of ${megabytes(BYTES_PER_SECOND)}`);
  figures.add(
    'rate-limit-error-pct',
    Math.abs(perSecond / BYTES_PER_SECOND - 1) * 100,
    '%',
    `from ${megabytes(BYTES_PER_SECOND)} MB/s, MySQL to PostgreSQL`,
  );
}
