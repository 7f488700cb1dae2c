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
          const run = states.get(round.run);
          const { step = null, total = null, message = null } = run ?? {};
          const isStarting = run === undefined && all.isProcessAlive(round);
          // A Studio that was killed left it behind, or the machine was restarted.
          const state = run?.state ?? (isStarting ? 'starting' : 'not started');
          const log = state === 'not started' ? all.log(round) : '';
          return { ...round, state, step, total, message, log };
        }),
      );
    })
    .post('/:project/rounds', demandAdmin, body(roundOptions), async (context) => {
      const project = context.req.param('project');
      const name = (await store.overview()).find(({ id }) => id === project)?.name ?? project;
      const last = (await all.list(project)).at(-1);
      const state = runs.list().runs.find(({ id }) => id === last?.run)?.state;
      const isStarting = last !== undefined && state === undefined && all.isProcessAlive(last);
      if (state === 'running' || isStarting) {
        throw new StudioError(
          409,
          'running',
          `Round ${last!.number} is still running. Wait for it, or stop its run`,
        );
      }
      const by = context.get('person').name;
      return context.json(await all.start(project, name, context.req.valid('json'), by), 201);
    })
    .post('/:project/rounds/:number/start', demandAdmin, async (context) => {
      const number = Number(context.req.param('number'));
      await all.startAgain(context.req.param('project'), number);
      return context.json({ started: true });
    });
