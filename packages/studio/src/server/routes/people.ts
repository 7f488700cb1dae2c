// People and their invitations, for admins.
import { Hono } from 'hono';
import { z } from 'zod';
import { adminActions } from '../../names.ts';
import { demandAdmin } from '../requests/access.ts';
import { body, query } from '../requests/body.ts';
import type { StudioContext, StudioEnvironment } from '../requests/context.ts';
import { personName } from './session.ts';

const role = z.enum(['admin', 'annotator']);
const projects = z.array(z.string());

/** Which actions of admins are listed. */
const listing = z.object({
  person: z.string().optional(),
  action: z.enum(adminActions).optional(),
  project: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  offset: z.coerce.number().int().min(0).default(0),
});

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
        const wanted = context.req.valid('json');
        const { name } = context.get('person');
        const { code, ...invitation } = await studio.people.invite(wanted, name);
        return context.json({ ...invitation, link: `${studio.url}/join/${code}` });
      },
    )
    .delete('/invitations/:id', async (context) => {
      await studio.people.withdraw(context.req.param('id'), context.get('person').name);
      return context.json({ ok: true });
    })
    .patch(
      '/:id',
      body(z.strictObject({ role, disabled: z.boolean(), projects }).partial()),
      async (context) => {
        const { name } = context.get('person');
        await studio.people.change(context.req.param('id'), context.req.valid('json'), name);
        return context.json({ ok: true });
      },
    )
    .get('/actions', query(listing), async (context) =>
      context.json(await studio.store.actions(context.req.valid('query'))),
    );
