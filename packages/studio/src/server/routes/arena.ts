// Blind battles between models on free prompts, and new answers of models as tasks.

import { setTimeout as sleep } from 'node:timers/promises';
import { styleNames } from '@keel/evaluate/rating';
import { Hono } from 'hono';
import { z } from 'zod';
import { arenaOf } from '../../arena/arena.ts';
import { chooseModels } from '../../arena/choose-models.ts';
import { type SuggestResult, suggestTasks } from '../../asking/suggest-tasks.ts';
import { evenly } from '../../models/even-pace.ts';
import { ModelServerError, ModelServers } from '../../models/model-servers.ts';
import { type BattleTurn, type BattleView, ChangedBattleError } from '../../store/battles.ts';
import { battleVotes } from '../../store/schema.ts';
import { demandAdmin } from '../requests/access.ts';
import { body, query } from '../requests/body.ts';
import type { StudioContext, StudioEnvironment } from '../requests/context.ts';
import { notFound, StudioError } from '../requests/errors.ts';
import { lines } from '../requests/lines.ts';

const sampling = {
  temperature: z.number().min(0).max(2).default(0.8),
  maxTokens: z.number().int().min(1).max(8192).default(256),
};
/** Milliseconds during which a battle without a vote counts as one that will have one. */
const IN_WORK = 3600_000;

const prompt = z.string().trim().min(1, 'Write a prompt').max(50_000);

/** Whether the answer comes in parts, as lines of JSON (default: false). */
const streaming = z.boolean().default(false);

const asking = z.strictObject({ prompt, stream: streaming, ...sampling });

/** Milliseconds between two parts of an answer. */
const TICK = 60;

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
  stream: streaming,
  ...sampling,
});

const suggesting = z.strictObject({
  model: z.string().min(1, 'Choose a model'),
  /** Pairs that it is asked about. */
  limit: z.number().int().min(1).max(500).default(50),
  /** Whether it is asked again where it has made a suggestion. */
  again: z.boolean().default(false),
  stream: streaming,
});

/** What came of prompts: new tasks, tasks that were there, and prompts with equal answers. */
export interface Answered {
  /** Prompts that are done. */
  done: number;
  /** Of the answers that are being written. */
  characters: number;
  tasks: number;
  known: number;
  equal: number;
}

const moved = (): StudioError =>
  new StudioError(
    409,
    'changed',
    'The battle got another turn while these answers were written, so they are not saved. Ask again',
  );

/** Routes below `/projects/:project`. */
export const arena = ({ store, models, log }: StudioContext) => {
  /** A battle of this person in this project. */
  async function own(project: string, battle: string, person: string) {
    const found = await store.battleFor(battle, person);
    if (found.project !== project) throw notFound('There is no such battle in this project');
    return found;
  }
  /** Both models at work on the next turn of a battle. */
  async function writersOf(
    { id, turns }: BattleView,
    { prompt: text, ...options }: z.output<typeof asking>,
    signal: AbortSignal,
  ): Promise<[AsyncIterable<string>, AsyncIterable<string>]> {
    const sides = await store.sidesOf(id);
    const writer = (side: 'left' | 'right') => {
      const before = turns.flatMap((turn) => [
        { role: 'user' as const, content: turn.prompt },
        { role: 'assistant' as const, content: turn[side] },
      ]);
      const messages = [...before, { role: 'user' as const, content: text }];
      return models.write(sides[side], messages, options, signal);
    };
    return [writer('left'), writer('right')];
  }
  /** Which model failed, and how, would tell who is who: only the terminal says it. */
  function blind(error: unknown): never {
    if (!(error instanceof ModelServerError)) throw error;
    log(error);
    throw new StudioError(
      502,
      'model-server',
      'A model could not answer. The terminal of the Studio says why. Ask again, or start another battle',
    );
  }
  /** What both answer, side by side, and at the end the battle with the turn. */
  async function* turnInParts(
    battle: BattleView,
    asked: z.output<typeof asking>,
    add: (turn: BattleTurn) => Promise<BattleView>,
    gone: AbortSignal,
  ): AsyncGenerator<{ left: string; right: string } | { battle: BattleView }> {
    const ended = new AbortController();
    const signal = AbortSignal.any([gone, ended.signal]);
    const clock = {
      now: () => performance.now(),
      wait: () => sleep(TICK, undefined, { signal }),
    };
    const turn = { prompt: asked.prompt, left: '', right: '' };
    try {
      for await (const [left, right] of evenly(await writersOf(battle, asked, signal), clock)) {
        turn.left += left;
        turn.right += right;
        yield { left, right };
      }
    } catch (error) {
      blind(error);
    } finally {
      // The other model need not go on.
      ended.abort();
    }
    // Whoever stopped the answers does not want the turn.
    if (!gone.aborted) yield { battle: await add(turn) };
  }
  /** Answers to prompts as tasks, one prompt after the other. */
  async function* answered(
    project: string,
    given: z.output<typeof answering>,
    signal: AbortSignal,
  ): AsyncGenerator<Answered> {
    const { temperature, maxTokens, samples } = given;
    const { overlap } = await store.settings(project);
    const sum: Answered = { done: 0, characters: 0, tasks: 0, known: 0, equal: 0 };
    const wanted = given.models.flatMap((model) => Array.from({ length: samples }, () => model));
    for (const text of given.prompts) {
      const messages = [{ role: 'user' as const, content: text }];
      const writing = Promise.all(
        wanted.map(async (model) => {
          const writer = models.write(model, messages, { temperature, maxTokens }, signal);
          const content = await wholeOf(writer, (part) => {
            sum.characters += part.length;
          });
          return { content, model, sampling: { temperature, max_tokens: maxTokens } };
        }),
      );
      const settled = writing.then(
        () => true,
        () => true,
      );
      while (!(await Promise.race([settled, sleep(8 * TICK, false)]))) yield { ...sum };
      const answers = await writing.catch((error: unknown) => {
        if (error instanceof ModelServerError && sum.done > 0)
          error.message = `${error.message}. ${sum.done} of ${given.prompts.length} prompts are answered. Ask for the others again`;
        throw error;
      });
      sum.done += 1;
      sum.characters = 0;
      // Equal answers cannot be compared.
      const different = [...new Map(answers.map((one) => [one.content, one])).values()];
      if (different.length < 2) sum.equal += 1;
      else {
        const kind = different.length === 2 ? ('pair' as const) : ('ranking' as const);
        const input = { kind, prompt: text, answers: different, annotations: [] };
        // At once: a server that stops later takes no answers with it.
        const added = await store.addTasks(project, [input], { overlap, random: Math.random });
        sum.tasks += added.tasks;
        sum.known += added.known;
      }
      yield { ...sum };
    }
  }
  /** Pairs that a judge is asked about, and at the end what came of it. */
  async function* suggested(
    project: string,
    { model, limit, again }: z.output<typeof suggesting>,
    by: string,
    signal: AbortSignal,
  ): AsyncGenerator<{ done: number; total: number; result: SuggestResult | null }> {
    const name = (await store.overview()).find(({ id }) => id === project)?.name ?? project;
    await using judge = await models.judge(model);
    let now = { done: 0, total: 0 };
    const onProgress = (progress: typeof now): void => {
      now = progress;
    };
    const working = suggestTasks(store, name, judge, { limit, again, by }, { signal, onProgress });
    const settled = working.then(
      () => true,
      () => true,
    );
    try {
      while (!(await Promise.race([settled, sleep(8 * TICK, false)])))
        yield { ...now, result: null };
      const result = await working.catch((error: unknown) => {
        const fault = ModelServers.faultOf(error);
        if (fault instanceof ModelServerError && now.done > 0)
          fault.message = `${fault.message}. ${now.done} of ${now.total} pairs are done, and saved. Ask again for the others`;
        throw fault;
      });
      yield { ...now, result };
    } finally {
      // It saves what it has before the judge is closed.
      await settled;
    }
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
        // The faults name the servers, which only admins know.
        const advice =
          context.get('person').role === 'admin'
            ? ['Start keel studio with --models.', ...faults]
            : ['Ask an admin to start them.'];
        throw new StudioError(409, 'models', ['A battle needs two models.', ...advice].join(' '));
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
      const asked = context.req.valid('json');
      const known = battle.turns.length;
      const add = (turn: BattleTurn) =>
        store.addTurn(id, name, turn, { known }).catch((error: unknown) => {
          throw error instanceof ChangedBattleError ? moved() : error;
        });
      if (asked.stream)
        return lines(context, (signal) => turnInParts(battle, asked, add, signal), log);
      const { signal } = context.req.raw;
      const writers = await writersOf(battle, asked, signal);
      const [left, right] = await Promise.all(writers.map((one) => wholeOf(one))).catch(blind);
      signal.throwIfAborted();
      return context.json(await add({ prompt: asked.prompt, left: left!, right: right! }));
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
      const project = context.req.param('project');
      const given = context.req.valid('json');
      const by = context.get('person').name;
      if (given.stream)
        return lines(context, (signal) => suggested(project, given, by, signal), log);
      let found: SuggestResult | null = null;
      for await (const { result } of suggested(project, given, by, context.req.raw.signal))
        found = result;
      return context.json(found!);
    })
    .post('/:project/answers', demandAdmin, body(answering), async (context) => {
      const project = context.req.param('project');
      const given = context.req.valid('json');
      if (given.models.length * given.samples < 2) {
        throw new StudioError(400, 'invalid', 'A task needs two answers', {
          samples: 'Ask for two answers, or choose two models',
        });
      }
      if (given.stream) return lines(context, (signal) => answered(project, given, signal), log);
      const sum = { tasks: 0, known: 0, equal: 0 };
      for await (const { tasks, known, equal } of answered(project, given, context.req.raw.signal))
        Object.assign(sum, { tasks, known, equal });
      return context.json(sum);
    });
};

/** A text that is written, once it is whole. */
async function wholeOf(
  writer: AsyncIterable<string>,
  heard: (part: string) => void = () => {},
): Promise<string> {
  let text = '';
  for await (const part of writer) {
    text += part;
    heard(part);
  }
  return text;
}
