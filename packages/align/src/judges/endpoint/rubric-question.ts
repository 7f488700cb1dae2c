import { dialogue, wholeAnswer } from '../../data/message-text.ts';
import type { Message } from '../../data/messages.ts';
import type { JudgedAnswer } from '../judge.ts';
import type { Asking } from '../prompts/asking.ts';
import { markCode, marked, marksNote } from '../prompts/marks.ts';

/** A question about all criteria of a rubric at once, answered in JSON. */
export interface RubricQuestion {
  messages: Message[];
  schema: object;
  /** The scores in the order of the criteria; null if one is missing or off its scale. */
  read(fields: Readonly<Record<string, unknown>>): number[] | null;
}

/** Whether the criteria can be asked about in one call: a question or examples are for one each. */
export const readsTogether = ({ criteria = [], rate_question, examples }: Asking): boolean =>
  criteria.length > 1 &&
  rate_question === undefined &&
  examples.every((example) => !('score' in example)) &&
  criteria.every((criterion) => criterion.examples.length === 0);

/** Names of fields: names of criteria can be any text, and some servers accept only plain names. */
const fieldOf = (index: number): string => `criterion_${index + 1}`;

export function rubricQuestion(answer: JudgedAnswer, asking: Asking): RubricQuestion {
  const { criteria = [], reasoning } = asking;
  const scales = criteria.map(({ scale = asking.scale }) => scale);
  const fields = criteria.map((_, index) => fieldOf(index));
  const prompt = dialogue(answer);
  const text = wholeAnswer({ completion: answer.answer });
  const { reference: known } = answer;
  const reference = known === undefined ? null : wholeAnswer({ completion: known });
  const code = markCode([prompt, text, reference ?? '']);
  const list = criteria.map(({ name, description }, index) => {
    const { from, to } = scales[index]!;
    return `- ${fields[index]} (${name}), from ${from} (worst) to ${to} (best): ${description}`;
  });
  const shape = [...(reasoning ? ['reason'] : []), ...fields].map((name) => `"${name}": …`);
  const content = [
    'Rate an answer to a prompt by several criteria, each for itself.',
    asking.instructions,
    `The criteria are:\n${list.join('\n')}`,
    reference === null ? undefined : 'The reference answer is a good answer to the prompt.',
    marksNote,
    marked('prompt', prompt, code),
    reference === null ? undefined : marked('reference answer', reference, code),
    marked('answer', text, code),
    `How good is the answer by each criterion? Reply with JSON alone: {${shape.join(', ')}}. Each rating is a whole number.`,
  ]
    .filter((part) => part !== undefined)
    .join('\n\n');
  return {
    messages: [{ role: 'user', content }],
    schema: {
      type: 'object',
      properties: {
        ...(reasoning && { reason: { type: 'string' } }),
        ...Object.fromEntries(
          scales.map(({ from, to }, index) => [
            fields[index]!,
            { type: 'integer', enum: Array.from({ length: to - from + 1 }, (_, at) => from + at) },
          ]),
        ),
      },
      required: [...(reasoning ? ['reason'] : []), ...fields],
      additionalProperties: false,
    },
    read(found) {
      const scores = fields.map((name) => found[name]);
      const fit = scores.every(
        (score, index): score is number =>
          Number.isInteger(score) &&
          (score as number) >= scales[index]!.from &&
          (score as number) <= scales[index]!.to,
      );
      return fit ? (scores as number[]) : null;
    },
  };
}
