// Signing in and out, and joining by invitation: the only routes for people who are not signed in.
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { demandPerson } from '../requests/access.ts';
import { body } from '../requests/body.ts';
import type { StudioContext, StudioEnvironment } from '../requests/context.ts';

/** A name as people may have it: shown to others, so without control characters. */
export const personName = z
  .string()
  .trim()
  .min(1, 'Enter a name')
  .max(80, 'A name has at most 80 characters')
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'A name has no control characters');
const password = z.string().min(1, 'Enter a password').max(1000);

/** An answer with the cookies that the library set. */
function withCookies(context: Context, from: Response): Response {
  for (const cookie of from.headers.getSetCookie())
    context.header('Set-Cookie', cookie, { append: true });
  return context.json({ ok: true });
}

export const session = (studio: StudioContext) =>
  new Hono<StudioEnvironment>()
    .get('/', demandPerson(studio), (context) => context.json(context.get('person')))
    .post('/', body(z.strictObject({ name: personName, password })), async (context) => {
      const { name, password: given } = context.req.valid('json');
      return withCookies(context, await studio.people.signIn(name, given));
    })
    .delete('/', async (context) =>
      withCookies(context, await studio.people.signOut(context.req.raw.headers)),
    )
    .post(
      '/password',
      demandPerson(studio),
      body(z.strictObject({ current: password, next: password })),
      async (context) => {
        const { current, next } = context.req.valid('json');
        await studio.people.changePassword(context.req.raw.headers, current, next);
        return context.json({ ok: true });
      },
    )
    .get('/invitations/:code', async (context) => {
      const { name, role } = await studio.people.invitation(context.req.param('code'));
      return context.json({ name, role });
    })
    .post(
      '/invitations/:code',
      body(z.strictObject({ name: personName, password })),
      async (context) => {
        const { name, password: given } = context.req.valid('json');
        const joined = await studio.people.join(context.req.param('code'), name, given);
        return withCookies(context, joined);
      },
    );

/** The link that the command prints: it signs the owner in and leads on, without the key. */
export const enter =
  (studio: StudioContext) =>
  async (context: Context): Promise<Response> => {
    const response = await studio.people.enter(context.req.query('key') ?? '');
    for (const cookie of response.headers.getSetCookie())
      context.header('Set-Cookie', cookie, { append: true });
    const to = context.req.query('to') ?? '/';
    // A path of the Studio, and nothing that a browser reads as another host.
    return context.redirect(/^\/(?![/\\])[^\p{Cc}]*$/u.test(to) ? to : '/');
  };
