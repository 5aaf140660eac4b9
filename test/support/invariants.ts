import type { Sql } from '../../src/store/database.js';
import { findViolations, INVARIANTS } from '../../src/store/sql/check-invariants.sql.js';

const MAX_NAMED = 5;

/** What must hold in every store at every moment and does not hold in this one; empty when all is well. */
export async function brokenInvariants(sql: Sql): Promise<string[]> {
  const broken: string[] = [];
  for (const invariant of INVARIANTS) {
    const { total, first } = await findViolations(sql, invariant, MAX_NAMED);
    if (total === 0) continue;
    const named = first.map(({ subject = '', detail }) => `${subject} ${detail}`.trim());
    broken.push(`${invariant.id} ${invariant.name}: ${total}, ${named.join('; ')}`);
  }
  return broken;
}
