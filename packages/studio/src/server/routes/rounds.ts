// Rounds of training on a project's labels, for admins.
import { Hono } from 'hono';
import { roundOptions } from '../../rounds/round-options.ts';
import { WatchedRounds } from '../../rounds/watched-rounds.ts';
import { demandAdmin } from '../requests/access.ts';
import { body } from '../requests/body.ts';
import type { StudioContext, StudioEnvironment } from '../requests/context.ts';

/** Routes below `/projects/:project`. */
export const rounds = ({ rounds: all, runs, store }: StudioContext) => {
  const watched = new WatchedRounds(all, runs);
  const nameOf = async (project: string): Promise<string> =>
    (await store.overview()).find(({ id }) => id === project)?.name ?? project;
  return new Hono<StudioEnvironment>()
    .get('/:project/rounds', demandAdmin, async (context) =>
      context.json(await watched.list(context.req.param('project'))),
    )
    .post('/:project/rounds', demandAdmin, body(roundOptions), async (context) => {
      const project = context.req.param('project');
      const by = context.get('person').name;
      const wanted = context.req.valid('json');
      return context.json(await watched.start(project, await nameOf(project), wanted, by), 201);
    })
    .post('/:project/rounds/:number/start', demandAdmin, async (context) => {
      const { project } = context.req.param();
      const number = Number(context.req.param('number'));
      const by = context.get('person').name;
      await watched.startAgain(project, await nameOf(project), number, by);
      return context.json({ started: true });
    });
};
