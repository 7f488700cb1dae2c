import { dialogue, wholeAnswer } from '../../data/message-text.ts';
import type { JudgedAnswer } from '../judge.ts';
import { type Asking, type Criterion, ratedExamples } from './asking.ts';
import { markCode, marked, marksNote } from './marks.ts';
import {
  type AnswerForm,
  exampleReply,
  filled,
  type Question,
  type Reply,
  replyRule,
} from './question.ts';
import { ratingsOf, type Scale } from './scale.ts';

const CUE = 'Rating:';

/** A question for a rating; its labels are the ratings of `scale`, in rising order. */
export interface RateQuestion extends Question {
  /** null for a judge without criteria. */
  criterion: string | null;
  scale: Scale;
}

/** Asks how good an answer is: once for each criterion, or once without criteria. */
export function rateQuestions(
  answer: JudgedAnswer,
  asking: Asking,
  form: AnswerForm = 'label',
): RateQuestion[] {
  const criteria: readonly (Criterion | null)[] = asking.criteria ?? [null];
  return criteria.map((criterion) => rateQuestion(answer, asking, criterion, form));
}

function rateQuestion(
  answer: JudgedAnswer,
  asking: Asking,
  criterion: Criterion | null,
  form: AnswerForm,
): RateQuestion {
  const scale = criterion?.scale ?? asking.scale;
  const { reasoning } = asking;
  const reply = { labels: ratingsOf(scale), cue: CUE, noun: 'number' as const, reasoning, form };
  const examples = criterion?.examples ?? ratedExamples(asking);
  const ask = (one: JudgedAnswer) => ({
    role: 'user',
    content: asked(one, asking, { criterion, scale, reply }),
  });
  return {
    messages: [
      ...examples.flatMap(({ score, ...example }) => [
        ask({ ...example, extra: {} }),
        { role: 'assistant', content: exampleReply(String(score), reply) },
      ]),
      ask(answer),
    ],
    labels: reply.labels,
    cue: CUE,
    reasoning,
    criterion: criterion?.name ?? null,
    scale,
  };
}

interface Details {
  criterion: Criterion | null;
  scale: Scale;
  reply: Reply;
}

function asked(answer: JudgedAnswer, asking: Asking, { criterion, scale, reply }: Details): string {
  const prompt = dialogue(answer);
  const text = wholeAnswer({ completion: answer.answer });
  const { reference: known } = answer;
  const reference = known === undefined ? null : wholeAnswer({ completion: known });
  const code = markCode([prompt, text, reference ?? '']);
  const criterionText = criterion === null ? '' : `${criterion.name}: ${criterion.description}`;
  const parts = {
    prompt: marked('prompt', prompt, code),
    answer: marked('answer', text, code),
    reference: reference === null ? '' : marked('reference answer', reference, code),
    criterion: criterionText,
  };
  const { from, to } = scale;
  const rule = replyRule(`a whole number from ${from} (worst) to ${to} (best)`, reply);
  const { instructions = asking.instructions } = answer;
  if (asking.rate_question !== undefined) {
    const own = filled(asking.rate_question, parts);
    return [answer.instructions, own, rule].filter((part) => part !== undefined).join('\n\n');
  }
  return [
    'Rate an answer to a prompt.',
    instructions,
    reference === null ? undefined : 'The reference answer is a good answer to the prompt.',
    marksNote,
    ...[parts.prompt, parts.reference, parts.answer],
    // After the answer, so that the questions for all criteria start alike.
    criterion === null ? undefined : `Rate the answer by this alone. ${criterionText}`,
    `How good is the answer${criterion === null ? '' : ` in "${criterion.name}"`}? ${rule}`,
  ]
    .filter((part) => part !== undefined && part !== '')
    .join('\n\n');
}

/**
 * One score from those of the criteria: their weighted mean, each mapped from its own scale to the
 * judge's.
 * @param scores of each question, in order
 */
export function totalScore(scores: readonly number[], asking: Asking): number {
  const { criteria, scale } = asking;
  if (criteria === undefined) return scores[0]!;
  let sum = 0;
  let weights = 0;
  criteria.forEach(({ weight, scale: own = scale }, index) => {
    sum += (weight * (scores[index]! - own.from)) / (own.to - own.from);
    weights += weight;
  });
  return scale.from + (sum / weights) * (scale.to - scale.from);
}
