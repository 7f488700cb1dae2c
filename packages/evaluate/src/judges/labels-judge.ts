// People as a judge: a file of their labels.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import {
  type Judge,
  type JudgedPair,
  noUsage,
  noVerdict,
  type PairVerdict,
} from '@keel/align/judges';
import { hashFiles } from '@keel/model';
import { z } from 'zod';
import { answerText, promptKey } from '../judging/answers/answer-row.ts';
import { readLabels } from '../judging/check/read-labels.ts';

export const labelsJudgeSchema = z.strictObject({
  type: z.literal('labels'),
  /** Its name in results (default: labels). */
  name: z.string().min(1).default('labels'),
  /** Rows with a prompt, two answers and the labels of one person or more. */
  file: z.string().min(1),
});

export type LabelsJudgeSpec = z.output<typeof labelsJudgeSchema>;

interface Votes {
  first: number;
  second: number;
  ties: number;
}

/**
 * A judge that says what people said of the same two answers, in either order: the share of them
 * that prefer the first one. It has no verdict on other pairs.
 * @param folder that the path is relative to
 * @throws DataError for a bad row; Error if there is no such file
 */
export async function openLabelsJudge(spec: LabelsJudgeSpec, folder: string): Promise<Judge> {
  const beside = join(folder, spec.file);
  const file = !isAbsolute(spec.file) && existsSync(beside) ? beside : spec.file;
  const votes = new Map<string, Votes>();
  for (const { votes: own, ...labelled } of await readLabels([file], {})) {
    const key = keyOf(labelled);
    const found = votes.get(key) ?? { first: 0, second: 0, ties: 0 };
    for (const vote of own) found[({ a: 'first', b: 'second', tie: 'ties' } as const)[vote]] += 1;
    votes.set(key, found);
  }
  const identity = JSON.stringify(['labels 1', await hashFiles([file])]);
  return {
    name: spec.name,
    identity: createHash('sha256').update(identity).digest('hex'),
    concurrency: 1,
    seesOrder: false,
    async compare({ prompt, rendering, answers }) {
      const [a, b] = answers;
      const find = (asked: Pair): Votes | null =>
        sumOf(votes.get(keyOf(asked)), votes.get(keyOf({ ...asked, answers: [b, a] })));
      // Labels are often written down without the tools.
      const counts = find({ prompt, rendering, answers }) ?? find({ prompt, answers });
      return counts === null ? noVerdict(`${spec.file} has no label for this pair`) : said(counts);
    },
    async [Symbol.asyncDispose]() {},
  };
}

type Pair = Pick<JudgedPair, 'prompt' | 'rendering' | 'answers'>;

const keyOf = ({ prompt, rendering, answers }: Pair): string =>
  JSON.stringify([
    promptKey(prompt, rendering),
    ...answers.map((answer) => answerText(answer).trim()),
  ]);

/** Votes on a pair in this order and in the other one; null if there are none. */
function sumOf(own: Votes | undefined, swapped: Votes | undefined): Votes | null {
  if (own === swapped) return own ?? null;
  const both = [own, swapped && { ...swapped, first: swapped.second, second: swapped.first }];
  return both.reduce<Votes | null>((sum, one) => {
    if (one === undefined || sum === null) return one ?? sum;
    return {
      first: sum.first + one.first,
      second: sum.second + one.second,
      ties: sum.ties + one.ties,
    };
  }, null);
}

function said({ first, second, ties }: Votes): PairVerdict {
  const all = first + second + ties;
  return {
    first: (first + ties / 2) / all,
    tie: ties / all,
    why: `labels: ${first} for the first answer, ${second} for the second one, ${ties} for a tie`,
    exchanges: [],
    usage: noUsage,
  };
}
