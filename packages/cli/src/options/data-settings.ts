import { defineOptions, option, trainingShape, variant } from '@keel/align/config';
import { z } from 'zod';
import { databaseOption, projectOption } from './data-store-shape.ts';

const group = 'Project';
const shownDefault = 'unchanged';
const usual = { group, common: true, shownDefault } as const;
const share = z.number().min(0).max(1).optional();
const yesNo = z.boolean().optional();

/** `helpful`, `helpful=1-7`, or `helpful=1-7 How helpful is it?`. */
const aspectForm = /^([a-z][a-z0-9_]*)(?:\s*=\s*(\d+)-(\d+))?(?:\s+(\S[\s\S]*))?$/;

const schema = z.strictObject({
  project: projectOption,
  database: databaseOption,
  overlap: option(z.number().int().min(1).max(100).optional(), {
    description: 'people who are to annotate each task',
    ...usual,
    value: 'people',
  }),
  order: option(z.enum(['added', 'random', 'priority']).optional(), {
    description: 'order in which people get tasks',
    ...usual,
  }),
  randomShare: option(share, {
    description:
      'share of the tasks that is drawn at random where the order is priority, and of the battles whose models are drawn at random',
    ...usual,
    value: 'share',
  }),
  goldShare: option(z.number().min(0).max(0.5).optional(), {
    description: "share of a person's tasks whose right verdict is known",
    ...usual,
    value: 'share',
  }),
  tooFast: option(z.number().min(0).max(3600).optional(), {
    description: 'verdicts that take less time, in seconds, are too fast',
    ...usual,
    value: 'seconds',
  }),
  aspects: option(
    z
      .array(
        z.string().refine((text) => text === 'none' || aspectForm.test(text), {
          error:
            'expected a key in small letters, then a range and a question if you like: helpful, helpful=1-7, or "helpful=1-7 How helpful is it?"',
        }),
      )
      .min(1)
      .optional(),
    {
      description:
        'qualities that people rate each answer by, from 1 to 5 or in a range: helpful, "honest=1-7 Is it true?"; none: nothing is rated',
      ...usual,
      value: 'aspect',
      commas: false,
    },
  ),
  strengths: option(z.array(z.string().min(1)).min(1).max(4).optional(), {
    description: 'how much better an answer can be, in words, from the least on; none: not asked',
    ...usual,
    value: 'words',
  }),
  tie: option(yesNo, { description: 'people can say that both answers are equal', ...usual }),
  bothBad: option(yesNo, { description: 'people can say that both answers are bad', ...usual }),
  ranking: option(z.enum(['order', 'best']).optional(), {
    description: 'of several answers, people name the order or only the best',
    ...usual,
  }),
  edits: option(yesNo, { description: 'people can write a better answer', ...usual }),
  suggestions: option(yesNo, {
    description: 'people learn after a verdict what the reward model and judges expected',
    ...usual,
  }),
  guidelines: option(z.string().min(1).optional(), {
    description: 'file with the instructions for people; a changed text is a new version',
    ...usual,
    reads: 'file',
    value: 'file',
  }),
  json: variant(trainingShape.json, { common: true }),
  config: trainingShape.config,
});

/** Whether a list was given to say that there is nothing. */
const isNone = (list: readonly string[]): boolean => list.length === 1 && list[0] === 'none';

/** The parts of an aspect that a text names. */
export interface GivenAspect {
  key: string;
  least: number | null;
  most: number | null;
  question: string | null;
}

function aspectOf(text: string): GivenAspect {
  const [, key, least, most, question] = aspectForm.exec(text)!;
  return {
    key: key!,
    least: least === undefined ? null : Number(least),
    most: most === undefined ? null : Number(most),
    question: question ?? null,
  };
}

export const definition = defineOptions('data settings', schema, {
  complete: ({ aspects, strengths, ...parsed }) => ({
    ...parsed,
    ...(aspects !== undefined && { aspects: isNone(aspects) ? [] : aspects.map(aspectOf) }),
    ...(strengths !== undefined && { strengths: isNone(strengths) ? [] : strengths }),
  }),
});

export type DataSettingsOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel data settings --project helpful --overlap 3 --order priority --aspects helpful honest';
