// Rows of preference-accuracy: pairs, best of n, and RewardBench 2's ties.
import { DataError } from '@keel/align';
import {
  type Content,
  isChat,
  likelier,
  parseRow,
  type Rendering,
  type Row,
  trainingFault,
} from '@keel/align/data';
import type { Doc } from '../rows/docs.ts';
import { renderingOf } from './prompts.ts';

/** A prompt with right and wrong answers. */
export interface Answers {
  prompt: Content;
  chosen: readonly Content[];
  rejected: readonly Content[];
  /** The row's tools and template variables. */
  rendering?: Rendering | undefined;
  /** The row's other fields. */
  extra: Readonly<Record<string, unknown>>;
}

/** What is scored together: one row, or the two rows of a tie. */
export interface PreferenceRequest {
  answers: Answers;
  /** For ties: the prompt of the same kind with one right answer. */
  reference: Answers | null;
  /** RewardBench's subset. */
  group: string | null;
}

/**
 * Reads rows. RewardBench 2's subset Ties has rows `ref:N` and `tied:N`, which become one.
 * @param wrap whether plain texts become a chat
 * @throws DataError naming the row
 */
export function preferenceRequests(
  docs: readonly Doc[],
  wrap: boolean,
): { doc: Doc; request: PreferenceRequest }[] {
  const ties = new Map<string, { doc: Doc; answers: Answers }>();
  for (const doc of docs) {
    const found = tieOf(doc);
    if (found?.kind === 'ref') ties.set(found.number, { doc, answers: answersOf(doc, wrap) });
  }
  const used = new Set<string>();
  const requests = docs.flatMap((doc) => {
    const tie = tieOf(doc);
    if (tie?.kind === 'ref') return [];
    const reference = tie === null ? null : (ties.get(tie.number)?.answers ?? null);
    if (tie !== null) used.add(tie.number);
    if (tie !== null && reference === null) {
      throw new DataError({
        ...doc.place,
        field: 'id',
        expected: `a row ref:${tie.number} that belongs to tied:${tie.number}`,
        found: 'none',
      });
    }
    const subset = doc.row.subset;
    const group = typeof subset === 'string' ? subset : null;
    return [{ doc, request: { answers: answersOf(doc, wrap), reference, group } }];
  });
  const alone = [...ties].find(([number]) => !used.has(number));
  if (alone === undefined) return requests;
  const [number, { doc }] = alone;
  throw new DataError({
    ...doc.place,
    field: 'id',
    expected: `a row tied:${number} that belongs to ref:${number}`,
    found: 'none',
  });
}

function tieOf({ row }: Doc): { kind: 'ref' | 'tied'; number: string } | null {
  const [, kind, number] =
    /^(ref|tied):(.+)$/.exec(row.subset === 'Ties' ? String(row.id) : '') ?? [];
  return kind === undefined ? null : { kind: kind as 'ref' | 'tied', number: number! };
}

function answersOf(doc: Doc, wrap: boolean): Answers {
  const { chosen, rejected, prompt } = doc.row;
  if (!isTexts(chosen) && !isTexts(rejected)) {
    const row = parseRow('preference', doc.row, doc.place);
    refuseDropped(row, doc);
    const direction = likelier(row.label_probability);
    if (direction === 0) {
      throw new DataError({
        ...doc.place,
        field: 'label_probability',
        expected: 'a probability by which one of the answers is the better one',
        found: String(row.label_probability),
        advice: 'Remove the row',
      });
    }
    const [right, wrong] = direction > 0 ? [row.chosen, row.rejected] : [row.rejected, row.chosen];
    const { prompt: asked, rendering, extra } = row;
    return wrapped({ prompt: asked, chosen: [right], rejected: [wrong], rendering, extra }, wrap);
  }
  const [right, wrong] = [listOf(chosen), listOf(rejected)];
  if (typeof prompt !== 'string') {
    throw new DataError({
      ...doc.place,
      field: 'prompt',
      expected: 'a text',
      found: typeof prompt,
    });
  }
  for (const [field, list] of Object.entries({ chosen: right, rejected: wrong })) {
    if (list.length > 0 && list.every((one) => typeof one === 'string' && one !== '')) continue;
    const found = list.length === 0 ? 'none' : 'an empty one, or another value';
    throw new DataError({ ...doc.place, field, expected: 'answers, each a text', found });
  }
  const { chosen: _, rejected: __, tools, chat_template_kwargs: variables, ...others } = doc.row;
  const row = parseRow('prompt', others, doc.place);
  refuseDropped(row, doc);
  return wrapped(
    {
      ...{ prompt, chosen: right as string[], rejected: wrong as string[] },
      rendering: renderingOf(doc),
      extra: {
        ...row.extra,
        ...(tools !== undefined && { tools }),
        ...(variables !== undefined && { chat_template_kwargs: variables }),
      },
    },
    wrap,
  );
}

/** @throws DataError for a column with a meaning that would be dropped */
function refuseDropped(row: Row, { place }: Doc): void {
  const fault = trainingFault(row);
  if (fault !== null) throw new DataError({ ...place, ...fault });
}

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && (value.length === 0 || value.every((one) => typeof one === 'string'));

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

function wrapped(answers: Answers, wrap: boolean): Answers {
  const { prompt, chosen, rejected } = answers;
  if (!wrap || isChat(prompt)) return answers;
  const answer = (text: Content): Content =>
    typeof text === 'string' ? [{ role: 'assistant', content: text }] : text;
  return {
    ...answers,
    prompt: [{ role: 'user', content: prompt }],
    chosen: chosen.map(answer),
    rejected: rejected.map(answer),
  };
}
