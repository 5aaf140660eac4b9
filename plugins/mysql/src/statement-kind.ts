import type { SqlStatement } from '@millrace/sdk';

const COMMITTING = new Set([
  'create',
  'alter',
  'drop',
  'rename',
  'truncate',
  'grant',
  'revoke',
  'analyze',
  'optimize',
  'repair',
  'check',
  'flush',
  'reset',
  'install',
  'uninstall',
  'cache',
  'change',
  'stop',
]);
const CONTROL = new Set(['begin', 'commit', 'xa', 'lock', 'unlock']);

/** Statements with an implicit COMMIT; those on temporary tables have none. */
export function commitsByItself(statement: SqlStatement): boolean {
  if (!COMMITTING.has(statement.verb)) {
    return statement.verb === 'set' && /^set\s+password\b/i.test(statement.text);
  }
  return !/^(?:create(?:\s+or\s+replace)?|drop)\s+temporary\b/i.test(statement.text);
}

/** Why a script may not hold this statement: the transaction around it is the host's. */
export function refusedReason(statement: SqlStatement): string | undefined {
  const { verb, text } = statement;
  if (CONTROL.has(verb) || /^start\s+transaction\b/i.test(text)) {
    return `${verb.toUpperCase()} is not allowed: the script already runs in one transaction, committed with its ledger row`;
  }
  if (verb === 'rollback' && !/^rollback\s+(?:work\s+)?to\b/i.test(text)) {
    return 'ROLLBACK is not allowed: an error rolls the whole script back';
  }
  if (verb === 'set' && /\bautocommit\b/i.test(text)) {
    return 'SET autocommit is not allowed: the script already runs in one transaction';
  }
  return verb === 'use'
    ? 'USE is not allowed: write database.table, or choose another data source'
    : undefined;
}
