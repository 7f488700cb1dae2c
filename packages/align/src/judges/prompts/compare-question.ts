import { dialogue, wholeAnswer } from '../../data/message-text.ts';
import type { JudgedPair } from '../judge.ts';
import { type Asking, comparedExamples } from './asking.ts';
import { markCode, marked, marksNote } from './marks.ts';
import {
  type AnswerForm,
  either,
  exampleReply,
  filled,
  type Question,
  type Reply,
  replyRule,
} from './question.ts';

const CUE = 'Verdict:';

/** Labels of the first answer, of the second one and, if allowed, of a tie. */
export const compareLabels = ({ labels, ties }: Pick<Asking, 'labels' | 'ties'>): string[] =>
  ties ? [...labels] : labels.slice(0, 2);

/** Asks which of two answers is better. */
export function compareQuestion(
  pair: JudgedPair,
  asking: Asking,
  form: AnswerForm = 'label',
): Question {
  const labels = compareLabels(asking);
  const { reasoning } = asking;
  const reply = { labels, cue: CUE, noun: 'label' as const, reasoning, form };
  const examples = comparedExamples(asking);
  return {
    messages: [
      ...examples.flatMap(({ better, ...example }) => [
        { role: 'user', content: asked({ ...example, extra: {} }, asking, reply) },
        { role: 'assistant', content: exampleReply(labels.at(better - 1)!, reply) },
      ]),
      { role: 'user', content: asked(pair, asking, reply) },
    ],
    labels,
    cue: CUE,
    reasoning,
  };
}

function asked(pair: JudgedPair, asking: Asking, reply: Reply): string {
  const [a, b, tie] = reply.labels as [string, string, string?];
  const prompt = dialogue(pair);
  const [first, second] = pair.answers.map((completion) => wholeAnswer({ completion }));
  const reference =
    pair.reference === undefined ? null : wholeAnswer({ completion: pair.reference });
  const code = markCode([prompt, first!, second!, reference ?? '']);
  const parts = {
    prompt: marked('prompt', prompt, code),
    answer_a: marked(`answer ${a}`, first!, code),
    answer_b: marked(`answer ${b}`, second!, code),
    reference: reference === null ? '' : marked('reference answer', reference, code),
    criteria: criteriaText(asking),
  };
  const rule = replyRule(
    either([
      `${a} if answer ${a} is better`,
      `${b} if answer ${b} is better`,
      ...(tie === undefined ? [] : [`${tie} if neither is better`]),
    ]),
    reply,
  );
  const { instructions = asking.instructions } = pair;
  if (asking.compare_question !== undefined) {
    const own = filled(asking.compare_question, parts);
    return [pair.instructions, own, rule].filter((part) => part !== undefined).join('\n\n');
  }
  return [
    'Compare two answers to a prompt and decide which one is better.',
    instructions,
    parts.criteria === '' ? undefined : `Judge by these criteria:\n${parts.criteria}`,
    reference === null ? undefined : 'The reference answer is a good answer to the prompt.',
    marksNote,
    ...[parts.prompt, parts.reference, parts.answer_a, parts.answer_b],
    `Which answer is better? ${rule}`,
  ]
    .filter((part) => part !== undefined && part !== '')
    .join('\n\n');
}

/** One line for each criterion; weights are named only if they differ. */
function criteriaText({ criteria = [] }: Asking): string {
  const weighted = new Set(criteria.map(({ weight }) => weight)).size > 1;
  return criteria
    .map(
      ({ name, description, weight }) =>
        `- ${name}${weighted ? ` (weight ${weight})` : ''}: ${description}`,
    )
    .join('\n');
}
