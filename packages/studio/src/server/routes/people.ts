// People and their invitations, for admins.
import { Hono } from 'hono';
import { z } from 'zod';
import { demandAdmin } from '../requests/access.ts';
import { body } from '../requests/body.ts';
import type { StudioContext, StudioEnvironment } from '../requests/context.ts';
import { personName } from './session.ts';

const role = z.enum(['admin', 'annotator']);
const projects = z.array(z.string());

export const people = (studio: StudioContext) =>
  new Hono<StudioEnvironment>()
    .use(demandAdmin)
    .get('/', async (context) =>
      context.json({
        members: await studio.people.members(),
        invitations: await studio.people.invitations(),
      }),
    )
    .post(
      '/invitations',
      body(z.strictObject({ name: personName.nullable().default(null), role, projects })),
      async (context) => {
        const { code, ...invitation } = await studio.people.invite(context.req.valid('json'));
        return context.json({ ...invitation, link: `${studio.url}/join/${code}` });
      },
    )
    .delete('/invitations/:id', async (context) => {
      await studio.people.withdraw(context.req.param('id'));
      return context.json({ ok: true });
    })
    .patch(
      '/:id',
      body(z.strictObject({ role, disabled: z.boolean(), projects }).partial()),
      async (context) => {
        await studio.people.change(context.req.param('id'), context.req.valid('json'));
        return context.json({ ok: true });
      },
    );
