// Passwords and sessions, which better-auth hashes and keeps in tables of its own. Its HTTP handler
// is not mounted: the server calls it, so that there is one set of routes and of checks.
import { type BetterAuthPlugin, betterAuth } from 'better-auth';
import { createAuthEndpoint } from 'better-auth/api';
import { setSessionCookie } from 'better-auth/cookies';
import { getMigrations } from 'better-auth/db/migration';
import { z } from 'zod';
import type { Database } from '../store/database.ts';

export const PASSWORD_LENGTH = { least: 10, most: 128 } as const;

/** Starts a session for somebody who proved who they are in another way than with a password. */
const startSession = () =>
  ({
    id: 'studio',
    endpoints: {
      startSession: createAuthEndpoint(
        '/studio/start-session',
        { method: 'POST', body: z.object({ userId: z.string() }), metadata: { SERVER_ONLY: true } },
        async (context) => {
          const { internalAdapter } = context.context;
          const user = await internalAdapter.findUserById(context.body.userId);
          if (user === null) throw context.error('NOT_FOUND');
          const session = await internalAdapter.createSession(user.id);
          await setSessionCookie(context, { session, user });
          return context.json({ started: true });
        },
      ),
    },
  }) satisfies BetterAuthPlugin;

export interface SessionOptions {
  database: Database;
  postgres: boolean;
  /** Signs the cookies. */
  secret: string;
  /** Where the Studio is: https makes the cookies secure. */
  url: string;
}

/** Opens the library on the store's database, and creates or updates its tables. */
export async function openSessions({ database, postgres, secret, url }: SessionOptions) {
  const options = {
    appName: 'Keel Studio',
    baseURL: url,
    secret,
    database: {
      db: database,
      type: postgres ? ('postgres' as const) : ('sqlite' as const),
      transaction: true,
    },
    emailAndPassword: {
      ...{ enabled: true, disableSignUp: true },
      ...{ minPasswordLength: PASSWORD_LENGTH.least, maxPasswordLength: PASSWORD_LENGTH.most },
    },
    user: { modelName: 'auth_users' },
    account: { modelName: 'auth_accounts' },
    session: { modelName: 'auth_sessions', expiresIn: 30 * 24 * 3600, updateAge: 24 * 3600 },
    verification: { modelName: 'auth_verifications' },
    advanced: {
      cookiePrefix: 'keel-studio',
      defaultCookieAttributes: { sameSite: 'lax' as const },
    },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [startSession()],
  };
  await (await getMigrations(options)).runMigrations();
  return betterAuth(options);
}

export type Sessions = Awaited<ReturnType<typeof openSessions>>;
