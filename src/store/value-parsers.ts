import pg from 'pg';

const INT8 = 20;
const DATE = 1082;

/**
 * How column values of the store reach TypeScript. Ids are bigint in the database and stay far below
 * 2^53, so they are numbers here and a larger one is an error, never a rounded value. A date is its text:
 * the driver's default makes a local midnight of it, which is another day in half of the zones.
 */
export const valueParsers = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
    if (oid === INT8) return parseInt8;
    if (oid === DATE) return (value) => value;
    return format === 'binary'
      ? pg.types.getTypeParser(oid, 'binary')
      : pg.types.getTypeParser(oid, 'text');
  },
};

function parseInt8(value: string): number {
  const parsed = Number(value);
  if (!Number.isSafeInteger(parsed)) throw new RangeError(`bigint ${value} is beyond 2^53`);
  return parsed;
}
