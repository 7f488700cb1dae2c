// Rounds of training on a project's labels, for admins.
import { Hono } from 'hono';
import { roundOptions } from '../../rounds/round-options.ts';
import { demandAdmin } from '../requests/access.ts';
import { body } from '../requests/body.ts';
import type { StudioContext, StudioEnvironment } from '../requests/context.ts';
import { StudioError } from '../requests/errors.ts';

/** Routes below `/projects/:project`. */
export const rounds = ({ rounds: all, runs, store }: StudioContext) => {
  const nameOf = async (project: string): Promise<string> =>
    (await store.overview()).find(({ id }) => id === project)?.name ?? project;
  /** @returns the project's rounds, and the states of all runs by their ids */
  async function refuseWhileRunning(project: string) {
    const states = new Map(runs.list().runs.map(({ id, state }) => [id, state]));
    const found = await all.list(project);
    const running = found.find((round) => {
      const state = states.get(round.run);
      return state === 'running' || (state === undefined && all.isProcessAlive(round));
    });
    if (running === undefined) return { found, states };
    throw new StudioError(
      409,
      'running',
      `Round ${running.number} is still running. Wait for it, or stop its run`,
    );
  }
  return new Hono<StudioEnvironment>()
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
      const name = await nameOf(project);
      await refuseWhileRunning(project);
      const by = context.get('person').name;
      return context.json(await all.start(project, name, context.req.valid('json'), by), 201);
    })
    .post('/:project/rounds/:number/start', demandAdmin, async (context) => {
      const { project } = context.req.param();
      const number = Number(context.req.param('number'));
      const { found, states } = await refuseWhileRunning(project);
      const run = found.find((round) => round.number === number)?.run;
      if (run !== undefined && states.has(run)) {
        throw new StudioError(
          409,
          'has-run',
          `Round ${number} has a run already. Resume that on its page, or start another round`,
        );
      }
      await all.startAgain(project, await nameOf(project), number, context.get('person').name);
      return context.json({ started: true });
    });
};
