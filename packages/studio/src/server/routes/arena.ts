// Blind battles between models on free prompts, and new answers of models as tasks.
import { styleNames } from '@keel/evaluate/rating';
import { Hono } from 'hono';
import { z } from 'zod';
import { arenaOf } from '../../arena/arena.ts';
import { chooseModels } from '../../arena/choose-models.ts';
import { suggestTasks } from '../../asking/suggest-tasks.ts';
import { ModelServerError, ModelServers } from '../../models/model-servers.ts';
import { battleVotes } from '../../store/schema.ts';
import { demandAdmin } from '../requests/access.ts';
import { body, query } from '../requests/body.ts';
import type { StudioContext, StudioEnvironment } from '../requests/context.ts';
import { notFound, StudioError } from '../requests/errors.ts';

const sampling = {
  temperature: z.number().min(0).max(2).default(0.8),
  maxTokens: z.number().int().min(1).max(8192).default(256),
};
/** Milliseconds during which a battle without a vote counts as one that will have one. */
const IN_WORK = 3600_000;

const prompt = z.string().trim().min(1, 'Write a prompt').max(50_000);

const asking = z.strictObject({ prompt, ...sampling });

const voting = z.strictObject({
  vote: z.enum(battleVotes),
  comment: z.string().max(10_000).nullable().default(null),
  seconds: z.number().min(0).nullable().default(null),
});

const answering = z.strictObject({
  prompts: z.array(prompt).min(1, 'Write at least one prompt').max(500),
  models: z.array(z.string()).min(1, 'Choose at least one model').max(8),
  /** Answers of each model to a prompt. */
  samples: z.number().int().min(1).max(8).default(1),
  ...sampling,
});

const suggesting = z.strictObject({
  model: z.string().min(1, 'Choose a model'),
  /** Pairs that it is asked about. */
  limit: z.number().int().min(1).max(500).default(50),
  /** Whether it is asked again where it has made a suggestion. */
  again: z.boolean().default(false),
});

/** Routes below `/projects/:project`. */
export const arena = ({ store, models }: StudioContext) => {
  /** A battle of this person in this project. */
  async function own(project: string, battle: string, person: string) {
    const found = await store.battleFor(battle, person);
    if (found.project !== project) throw notFound('There is no such battle in this project');
    return found;
  }
  return new Hono<StudioEnvironment>()
    .get('/:project/models', async (context) => {
      const { role } = context.get('person');
      const { models: names, faults } = await models.list();
      // Battles are blind: annotators learn how many models there are, and not which.
      const isAdmin = role === 'admin';
      return context.json({
        ...{ any: models.any, count: names.length },
        ...{ names: isAdmin ? names : [], faults: isAdmin ? faults : [] },
      });
    })
    .post('/:project/battles', async (context) => {
      const project = context.req.param('project');
      const { models: names, faults } = await models.list();
      if (names.length < 2) {
        const what = 'A battle needs two models. Start keel studio with --models';
        throw new StudioError(409, 'models', [`${what}.`, ...faults].join(' '));
      }
      const { randomShare } = await store.settings(project);
      const counts = await store.battleCounts(project, new Date(Date.now() - IN_WORK));
      const { models: chosen, ...why } = chooseModels(names, counts, {
        ...{ randomShare, random: Math.random },
      });
      const { name } = context.get('person');
      return context.json(await store.startBattle(project, name, chosen, why), 201);
    })
    .post('/:project/battles/:battle/turns', body(asking), async (context) => {
      const { project, battle: id } = context.req.param();
      const { name } = context.get('person');
      const battle = await own(project, id, name);
      if (battle.vote !== null)
        throw new StudioError(409, 'voted', 'You have already voted on this battle');
      const { prompt: text, ...options } = context.req.valid('json');
      const sides = await store.sidesOf(id);
      const [left, right] = await Promise.all(
        (['left', 'right'] as const).map((side) => {
          const before = battle.turns.flatMap((turn) => [
            { role: 'user' as const, content: turn.prompt },
            { role: 'assistant' as const, content: turn[side] },
          ]);
          const messages = [...before, { role: 'user' as const, content: text }];
          return models.answer(sides[side], messages, options, context.req.raw.signal);
        }),
      );
      const turn = { prompt: text, left: left!, right: right! };
      return context.json(await store.addTurn(id, name, turn));
    })
    .post('/:project/battles/:battle/vote', body(voting), async (context) => {
      const { project, battle: id } = context.req.param();
      const { name } = context.get('person');
      await own(project, id, name);
      return context.json(await store.voteBattle(id, name, context.req.valid('json')));
    })
    .get(
      '/:project/battles',
      demandAdmin,
      query(
        z.object({
          model: z.string().optional(),
          leaked: z.stringbool().optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
          offset: z.coerce.number().int().min(0).default(0),
        }),
      ),
      async (context) => {
        const filter = { ...context.req.valid('query'), voted: true };
        return context.json(await store.battles(context.req.param('project'), filter));
      },
    )
    .get(
      '/:project/arena',
      demandAdmin,
      query(z.object({ styleControl: z.stringbool().default(false) })),
      async (context) => {
        const options = context.req.valid('query');
        const { results, ...counts } = await arenaOf(store, context.req.param('project'), options);
        const rated = results && {
          ratings: results.overall.ratings,
          ...{ coefficients: results.overall.coefficients, styles: styleNames },
          ...{ pairs: results.pairs, next: results.next },
        };
        return context.json({ ...counts, rated });
      },
    )
    .post('/:project/suggestions', demandAdmin, body(suggesting), async (context) => {
      const { model, ...given } = context.req.valid('json');
      const id = context.req.param('project');
      const name = (await store.overview()).find((one) => one.id === id)?.name ?? id;
      await using judge = await models.judge(model);
      const by = context.get('person').name;
      const { signal } = context.req.raw;
      try {
        return context.json(await suggestTasks(store, name, judge, { ...given, by }, { signal }));
      } catch (error) {
        throw ModelServers.faultOf(error);
      }
    })
    .post('/:project/answers', demandAdmin, body(answering), async (context) => {
      const project = context.req.param('project');
      const given = context.req.valid('json');
      const { temperature, maxTokens, samples } = given;
      if (given.models.length * samples < 2) {
        throw new StudioError(400, 'invalid', 'A task needs two answers', {
          samples: 'Ask for two answers, or choose two models',
        });
      }
      const { signal } = context.req.raw;
      const { overlap } = await store.settings(project);
      const sum = { tasks: 0, known: 0, equal: 0 };
      for (const text of given.prompts) {
        const wanted = given.models.flatMap((model) =>
          Array.from({ length: samples }, () => model),
        );
        const answers = await Promise.all(
          wanted.map(async (model) => ({
            content: await models.answer(
              model,
              [{ role: 'user', content: text }],
              { temperature, maxTokens },
              signal,
            ),
            ...{ model, sampling: { temperature, max_tokens: maxTokens } },
          })),
        ).catch((error: unknown) => {
          const count = sum.tasks + sum.known + sum.equal;
          if (error instanceof ModelServerError && count > 0)
            error.message = `${error.message}. ${count} of ${given.prompts.length} prompts are answered. Ask for the others again`;
          throw error;
        });
        // Equal answers cannot be compared.
        const different = [...new Map(answers.map((one) => [one.content, one])).values()];
        if (different.length < 2) {
          sum.equal += 1;
          continue;
        }
        const kind = different.length === 2 ? ('pair' as const) : ('ranking' as const);
        const input = { kind, prompt: text, answers: different, annotations: [] };
        // At once: a server that stops later takes no answers with it.
        const added = await store.addTasks(project, [input], { overlap, random: Math.random });
        sum.tasks += added.tasks;
        sum.known += added.known;
      }
      return context.json(sum);
    });
};
