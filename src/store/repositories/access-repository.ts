import { createHash, randomBytes } from 'node:crypto';

import type { Role } from '../../domain/access/roles.js';
import type { Sql } from '../database.js';

/** Who sends a request. */
export interface Principal {
  readonly userId: number;
  readonly userName: string;
  readonly displayName: string;
  readonly via: 'session' | 'token';
}

export interface NewSession {
  readonly userId: number;
  /** For the cookie; only its hash is stored. */
  readonly token: string;
  /** For the header of every write; only its hash is stored. */
  readonly csrfToken: string;
}

const TOKEN_BYTES = 32;
const API_TOKEN_PREFIX = 'mr_';
const LOGIN_LINK_MINUTES = 15;
const SESSION_DAYS = 7;

export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** Makes a one-time login token, valid for 15 minutes, and clears away links and sessions that are over. */
export async function createLoginToken(sql: Sql, userId: number): Promise<string> {
  const token = newToken();
  await sql.run('DELETE FROM login_link WHERE expires_at < clock_timestamp()');
  await sql.run('DELETE FROM user_session WHERE expires_at < clock_timestamp()');
  await sql.run(
    `INSERT INTO login_link (token_hash, user_id, expires_at)
     VALUES ($1, $2, clock_timestamp() + make_interval(mins => $3))`,
    [tokenHash(token), userId, LOGIN_LINK_MINUTES],
  );
  return token;
}

/** Uses a login token up and opens a session; `undefined` when it is unknown, used or too old. */
export async function openSession(sql: Sql, loginToken: string): Promise<NewSession | undefined> {
  const session = { token: newToken(), csrfToken: newToken() };
  const rows = await sql.rows<{ user_id: number }>(
    `WITH used AS (
       UPDATE login_link SET used_at = clock_timestamp()
        WHERE token_hash = $1 AND used_at IS NULL AND expires_at > clock_timestamp()
        RETURNING user_id)
     INSERT INTO user_session (token_hash, user_id, csrf_hash, expires_at)
     SELECT $2, user_id, $3, clock_timestamp() + make_interval(days => $4) FROM used
     RETURNING user_id`,
    [tokenHash(loginToken), tokenHash(session.token), tokenHash(session.csrfToken), SESSION_DAYS],
  );
  const opened = rows[0];
  return opened === undefined ? undefined : { userId: opened.user_id, ...session };
}

export async function closeSession(sql: Sql, token: string): Promise<void> {
  await sql.run('DELETE FROM user_session WHERE token_hash = $1', [tokenHash(token)]);
}

/** The owner of a live session, with the hash its writes must prove. */
export async function principalOfSession(
  sql: Sql,
  token: string,
): Promise<(Principal & { readonly csrfHash: Buffer }) | undefined> {
  const rows = await sql.rows<Principal & { csrfHash: Buffer }>(
    `SELECT u.id AS "userId", u.name AS "userName", u.display_name AS "displayName",
            'session' AS via, s.csrf_hash AS "csrfHash"
       FROM user_session s JOIN app_user u ON u.id = s.user_id
      WHERE s.token_hash = $1 AND s.expires_at > clock_timestamp()`,
    [tokenHash(token)],
  );
  return rows[0];
}

/** Makes an API token, `mr_…`; only its hash is stored. */
export async function insertApiToken(
  sql: Sql,
  token: { readonly userId: number; readonly name: string; readonly expiresAt?: Date },
): Promise<string> {
  const text = API_TOKEN_PREFIX + newToken();
  await sql.run(
    'INSERT INTO api_token (token_hash, user_id, name, expires_at) VALUES ($1, $2, $3, $4)',
    [tokenHash(text), token.userId, token.name, token.expiresAt ?? null],
  );
  return text;
}

/** The owner of a live API token. Notes its use, at most once a minute: a read must not become a write load. */
export async function principalOfApiToken(sql: Sql, token: string): Promise<Principal | undefined> {
  if (!token.startsWith(API_TOKEN_PREFIX)) return undefined;
  const rows = await sql.rows<Principal & { tokenId: number; stale: boolean }>(
    `SELECT u.id AS "userId", u.name AS "userName", u.display_name AS "displayName", 'token' AS via,
            t.id AS "tokenId",
            coalesce(t.last_used_at < clock_timestamp() - interval '1 minute', true) AS stale
       FROM api_token t JOIN app_user u ON u.id = t.user_id
      WHERE t.token_hash = $1 AND t.revoked_at IS NULL
        AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())`,
    [tokenHash(token)],
  );
  const found = rows[0];
  if (found === undefined) return undefined;
  const { tokenId, stale, ...principal } = found;
  if (stale)
    await sql.run('UPDATE api_token SET last_used_at = clock_timestamp() WHERE id = $1', [tokenId]);
  return principal;
}

/** Makes the user if needed and gives the role in the workspace; an existing role is replaced. */
export async function upsertMember(
  sql: Sql,
  member: { readonly userName: string; readonly workspaceId: number; readonly role: Role },
): Promise<number> {
  const rows = await sql.rows<{ id: number }>(
    `INSERT INTO app_user (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name
     RETURNING id`,
    [member.userName],
  );
  const id = rows[0]?.id ?? 0;
  await sql.run(
    `INSERT INTO member (workspace_id, user_id, role) VALUES ($1, $2, $3)
     ON CONFLICT (workspace_id, user_id) DO UPDATE SET role = excluded.role`,
    [member.workspaceId, id, member.role],
  );
  return id;
}
