// What every judge that is asked in words can be given: labels, a scale, a rubric, examples.
import { z } from 'zod';
import { textSchema } from '../../data/messages.ts';
import { type Scale, scaleSchema } from './scale.ts';

const textKey = textSchema.min(1);

/** An answer with the score that it should get. */
const ratedExampleSchema = z.strictObject({
  prompt: textKey,
  answer: textSchema,
  score: z.int(),
});

/** An answer with its score, or two answers with the better one: 1, 2, or 0 for a tie. */
const exampleSchema = z
  .strictObject({
    ...ratedExampleSchema.partial().shape,
    prompt: textKey,
    answers: z.tuple([textSchema, textSchema]).optional(),
    better: z.int().min(0).max(2).optional(),
  })
  .refine(
    ({ answer, score, answers, better }) => {
      const rated = answer !== undefined && score !== undefined;
      const compared = answers !== undefined && better !== undefined;
      const keys = [answer, score, answers, better].filter((value) => value !== undefined);
      return (rated || compared) && keys.length === 2;
    },
    {
      error: 'an example with "prompt", and either "answer" and "score" or "answers" and "better"',
    },
  );

const criterionSchema = z.strictObject({
  /** Its name in results; unique in the rubric. */
  name: textKey,
  description: textKey,
  weight: z.number().positive().default(1),
  /** Default: the judge's scale. */
  scale: scaleSchema.optional(),
  examples: z.array(ratedExampleSchema).default([]),
});

const labelSchema = z
  .string()
  .regex(/^\S+$/, 'a label of one word, such as A')
  .refine((text) => text.isWellFormed(), 'a label in valid Unicode');

/** The keys of a judge's spec that say what it is asked. */
export const askingShape = {
  /** What to judge by, in a few sentences. */
  instructions: textKey.optional(),
  /** A question of its own instead of Keel's, with {prompt}, {answer_a} and {answer_b}. */
  compare_question: textSchema
    .refine((text) => text.includes('{answer_a}') && text.includes('{answer_b}'), {
      error: 'a text with {answer_a} and {answer_b}',
    })
    .optional(),
  /** A question of its own instead of Keel's, with {prompt} and {answer}. */
  rate_question: textSchema
    .refine((text) => text.includes('{answer}'), 'a text with {answer}')
    .optional(),
  /** Whether the judge may say that neither answer is better. */
  ties: z.boolean().default(true),
  /** The words for the first answer, the second answer, and a tie. */
  labels: z
    .tuple([labelSchema, labelSchema, labelSchema])
    .refine((labels) => new Set(labels).size === labels.length, 'three different labels')
    .default(['A', 'B', 'C']),
  /** The scale of ratings. */
  scale: scaleSchema.default({ from: 1, to: 10 }),
  criteria: z
    .array(criterionSchema)
    .min(1)
    .refine(
      (criteria) => new Set(criteria.map(({ name }) => name)).size === criteria.length,
      'criteria with different names',
    )
    .optional(),
  /** Judged examples, shown before the question. */
  examples: z.array(exampleSchema).default([]),
  /** The judge first writes its reasons, and its verdict after them. */
  reasoning: z.boolean().default(false),
};

/** What a judge is asked; see {@link askingShape}. */
export type Asking = z.output<z.ZodObject<typeof askingShape>>;
export type Criterion = NonNullable<Asking['criteria']>[number];
export type RatedExample = z.output<typeof ratedExampleSchema>;
export interface ComparedExample {
  prompt: string;
  answers: [string, string];
  better: number;
}

/** The examples of ratings, for a judge without criteria. */
export const ratedExamples = ({ examples }: Pick<Asking, 'examples'>): RatedExample[] =>
  examples.flatMap(({ prompt, answer, score }) =>
    answer === undefined || score === undefined ? [] : { prompt, answer, score },
  );

/** The examples of comparisons. */
export const comparedExamples = ({ examples }: Pick<Asking, 'examples'>): ComparedExample[] =>
  examples.flatMap(({ prompt, answers, better }) =>
    answers === undefined || better === undefined ? [] : { prompt, answers, better },
  );

/** Reports what one key alone does not show: a score that is not on its scale. */
export function checkAsking(asking: Asking, context: z.core.$RefinementCtx): void {
  const check = ({ score }: { score?: number }, scale: Scale, path: PropertyKey[]): void => {
    if (score === undefined) return;
    if (score >= scale.from && score <= scale.to) return;
    const message = `a score on the scale ${scale.from}-${scale.to}`;
    context.addIssue({ code: 'custom', path: [...path, 'score'], message, input: score });
  };
  asking.examples.forEach((example, at) => {
    check(example, asking.scale, ['examples', at]);
    if (example.better === 0 && !asking.ties) {
      context.addIssue({
        ...{ code: 'custom', path: ['examples', at, 'better'], input: 0 },
        message: '1 or 2, because this judge has "ties: false"',
      });
    }
  });
  asking.criteria?.forEach(({ examples, scale = asking.scale }, place) => {
    examples.forEach((example, at) => {
      check(example, scale, ['criteria', place, 'examples', at]);
    });
  });
}
