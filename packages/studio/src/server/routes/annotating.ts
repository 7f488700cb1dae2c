// A person's work in a project: the next task, verdicts, and changing one's mind.
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { suggestionOf } from '../../rounds/round-column.ts';
import { NewerVerdictError } from '../../store/annotating.ts';
import type { TaskView } from '../../store/items.ts';
import { choices } from '../../store/schema.ts';
import { body, query } from '../requests/body.ts';
import type { StudioContext, StudioEnvironment } from '../requests/context.ts';
import { StudioError } from '../requests/errors.ts';

/** Characters of a comment, and of an answer that a person wrote. */
const MOST_TEXT = { comment: 10_000, edit: 200_000 } as const;

const rating = z.array(z.number().nullable()).max(100);

/** A verdict by the places on the screen; the store checks that it fits the task. */
export const verdictBody = z.strictObject({
  choice: z.enum(choices).nullable(),
  ranks: z.array(z.number()).max(100).nullable().default(null),
  strength: z.number().nullable().default(null),
  ratings: z.record(z.string(), rating).nullable().default(null),
  edit: z
    .strictObject({ answer: z.number().nullable(), text: z.string().max(MOST_TEXT.edit) })
    .nullable()
    .default(null),
  comment: z.string().max(MOST_TEXT.comment).nullable().default(null),
  flagged: z.boolean().default(false),
  seconds: z.number().min(0).nullable().default(null),
});

/** A verdict of a person, with the newest version of it that the page has shown (default: any). */
const ownVerdict = verdictBody.extend({ known: z.number().int().min(0).optional() });

const answered = (): StudioError =>
  new StudioError(
    409,
    'answered',
    'You have already answered this task, perhaps in another tab. That verdict counts. Undo (U) brings it back, so that you can change it',
  );

/** Routes below `/projects/:project`, for everybody who works on the project. */
export const annotating = ({ store }: StudioContext) => {
  /** The task of the path, which must be the person's, in the project of the path. */
  async function own(context: Context<StudioEnvironment>) {
    const project = context.req.param('project')!;
    const task = context.req.param('task')!;
    const { name } = context.get('person');
    try {
      const { state } = await store.taskFor(project, task, name);
      return { project, task, name, state };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new StudioError(
        409,
        'not-held',
        'You do not hold this task. After 30 minutes without a sign of you, it goes to others. Ask for the next task',
      );
    }
  }
  /** A task that the person is still to answer. */
  async function held(context: Context<StudioEnvironment>) {
    const { state, ...found } = await own(context);
    if (state !== 'held') throw answered();
    return found;
  }
  /** A task that is the person's again, with what that changed of the person's progress. */
  const reopened = async (project: string, name: string, task: TaskView | null) => ({
    task,
    progress: await store.progress(project, name),
    pace: await store.pace(project, name),
  });
  /** What the reward model of a round and judges expect, for a person with a verdict. */
  async function suggestionsOn(project: string, task: string, name: string) {
    const { columns } = await store.taskDetail(task);
    const { answers } = await store.taskFor(project, task, name);
    const round = suggestionOf(columns, answers);
    const judges = await store.suggestionsFor(task, name);
    const all = [...(round === null ? [] : [round]), ...judges];
    // Before they are sent: a verdict after this one is not independent of them.
    if (all.length > 0) await store.noteSuggestionsShown(task, name);
    return all;
  }
  return new Hono<StudioEnvironment>()
    .post('/:project/next', async (context) => {
      const { name } = context.get('person');
      return context.json(await store.next(context.req.param('project'), name));
    })
    .get('/:project/progress', async (context) => {
      const { name } = context.get('person');
      return context.json(await store.progress(context.req.param('project'), name));
    })
    .get(
      '/:project/history',
      query(z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) })),
      async (context) => {
        const { limit } = context.req.valid('query');
        const { name } = context.get('person');
        return context.json(await store.history(context.req.param('project'), name, limit));
      },
    )
    .post('/:project/undo', async (context) => {
      const { name } = context.get('person');
      const project = context.req.param('project');
      return context.json(await reopened(project, name, await store.undo(project, name)));
    })
    .post('/:project/tasks/:task/verdict', body(ownVerdict), async (context) => {
      const { project, task, name } = await own(context);
      const { known, ...verdict } = context.req.valid('json');
      const seen = known === undefined ? {} : { known };
      const version = await store.annotate(task, name, verdict, seen).catch((error: unknown) => {
        throw error instanceof NewerVerdictError ? answered() : error;
      });
      const { suggestions } = await store.settings(project);
      // Only now: before the verdict it would be an influence.
      const shown =
        suggestions && verdict.choice !== null ? await suggestionsOn(project, task, name) : [];
      return context.json({ version, suggestions: shown });
    })
    .post('/:project/tasks/:task/reopen', async (context) => {
      const { project, task, name } = await own(context);
      return context.json(await reopened(project, name, await store.reopen(task, name)));
    })
    .post('/:project/tasks/:task/release', async (context) => {
      const { task, name } = await held(context);
      await store.release(task, name);
      return context.json({ ok: true });
    })
    .post('/:project/tasks/:task/renew', async (context) => {
      const { task, name } = await held(context);
      await store.renew(task, name);
      return context.json({ ok: true });
    });
};
