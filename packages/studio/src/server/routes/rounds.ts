// Rounds of training on a project's labels, for admins.
import { Hono } from 'hono';
import { roundOptions } from '../../rounds/round-options.ts';
import { demandAdmin } from '../requests/access.ts';
import { body } from '../requests/body.ts';
import type { StudioContext, StudioEnvironment } from '../requests/context.ts';
import { StudioError } from '../requests/errors.ts';

/** Routes below `/projects/:project`. */
export const rounds = ({ rounds: all, runs, store }: StudioContext) =>
  new Hono<StudioEnvironment>()
    .get('/:project/rounds', demandAdmin, async (context) => {
      const project = context.req.param('project');
      await all.collect(project);
      const states = new Map(runs.list().runs.map((run) => [run.id, run]));
      const found = await all.list(project);
      return context.json(
        found.map((round) => {
          const {
            state = null,
            step = null,
            total = null,
            message = null,
          } = states.get(round.run) ?? {};
          return { ...round, state, step, total, message };
        }),
      );
    })
    .post('/:project/rounds', demandAdmin, body(roundOptions), async (context) => {
      const project = context.req.param('project');
      const name = (await store.overview()).find(({ id }) => id === project)?.name ?? project;
      const last = (await all.list(project)).at(-1);
      const state = runs.list().runs.find(({ id }) => id === last?.run)?.state;
      if (state === 'running') {
        throw new StudioError(
          409,
          'running',
          `Round ${last!.number} is still running. Wait for it, or stop its run`,
        );
      }
      const by = context.get('person').name;
      return context.json(await all.start(project, name, context.req.valid('json'), by), 201);
    });
