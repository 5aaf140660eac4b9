import { MillraceError } from '../../domain/errors.js';
import type { Database } from '../../store/database.js';
import {
  findViolations,
  type Invariant,
  INVARIANTS,
  type Violation,
} from '../../store/sql/check-invariants.sql.js';
import { type Check, type CheckResult, ok } from './check.js';

const MAX_NAMED = 10;

/** What must hold in the store at every moment; the line may go on meanwhile. */
export function invariantChecks(database: Database): Check[] {
  return INVARIANTS.map((invariant) => ({
    name: `${invariant.id} ${invariant.name}`,
    run: () => checkInvariant(database, invariant),
  }));
}

async function checkInvariant(database: Database, invariant: Invariant): Promise<CheckResult> {
  const { total, first } = await findViolations(database, invariant, MAX_NAMED);
  if (total === 0) return ok('holds');
  const more = total > first.length ? `; and ${total - first.length} more` : '';
  const named = first.map(said).join('; ');
  throw new MillraceError('MR-S150', `${invariant.says} Against it: ${named}${more}`);
}

function said({ subject, detail }: Violation): string {
  return subject === undefined ? detail : `${subject}: ${detail}`;
}
