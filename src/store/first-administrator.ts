import type { Role } from '../domain/access/roles.js';
import { MillraceError } from '../domain/errors.js';
import type { Database, Sql } from './database.js';
import {
  createLoginToken,
  insertApiToken,
  upsertMember,
} from './repositories/access-repository.js';

async function userIdOf(sql: Sql, userName: string): Promise<number> {
  const rows = await sql.rows<{ id: number }>('SELECT id FROM app_user WHERE name = $1', [
    userName,
  ]);
  const user = rows[0];
  if (user === undefined) throw new MillraceError('MR-A104', `there is no user ${userName}`);
  return user.id;
}

/** Makes the user if needed and the owner (or `role`) of every workspace there is. Returns the user's id. */
export async function createFirstAdministrator(
  database: Database,
  options: { readonly userName: string; readonly role?: Role },
): Promise<number> {
  return await database.transaction(async (tx) => {
    const workspaces = await tx.rows<{ id: number }>('SELECT id FROM workspace ORDER BY id');
    if (workspaces.length === 0)
      throw new MillraceError('MR-A104', 'there is no workspace to own yet');
    let userId = 0;
    for (const { id: workspaceId } of workspaces)
      userId = await upsertMember(tx, {
        userName: options.userName,
        workspaceId,
        role: options.role ?? 'owner',
      });
    return userId;
  });
}

/** A link that signs the user in once, within 15 minutes. `baseUrl` is what the browser sees, no slash at its end. */
export async function createLoginLink(
  database: Database,
  options: { readonly userName: string; readonly baseUrl: string },
): Promise<string> {
  const token = await createLoginToken(database, await userIdOf(database, options.userName));
  return `${options.baseUrl}/login?token=${token}`;
}

/**
 * An API token `mr_…` of the user; shown here once, only its hash is stored. `replaces`: the user's older
 * tokens of this name end.
 */
export async function createApiToken(
  database: Database,
  options: {
    readonly userName: string;
    readonly name: string;
    readonly expiresAt?: Date;
    readonly replaces?: boolean;
  },
): Promise<string> {
  return await database.transaction(async (tx) => {
    const userId = await userIdOf(tx, options.userName);
    if (options.replaces === true) {
      await tx.run(
        `UPDATE api_token SET revoked_at = clock_timestamp()
          WHERE user_id = $1 AND name = $2 AND revoked_at IS NULL`,
        [userId, options.name],
      );
    }
    return await insertApiToken(tx, {
      userId,
      name: options.name,
      ...(options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt }),
    });
  });
}
