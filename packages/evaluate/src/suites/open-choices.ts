// A suite's multiple-choice task.

import { DataError } from '@keel/align';
import { exactJson, plainNumbers } from '@keel/model/exact-json';
import { choiceList } from '../rows/choice-list.ts';
import { type Reader, readerOf, textOf } from '../rows/doc-text.ts';
import type { Doc, Docs } from '../rows/docs.ts';
import { LiteralError, parsePythonLiteral } from '../rows/python-literal.ts';
import { meanOf, shareOf } from '../tasks/metrics.ts';
import { type ChoiceRequest, runChoices } from '../tasks/multiple-choice.ts';
import type { Item, RunHooks, Subject, Task } from '../tasks/task.ts';
import { examplesOf } from './few-shot.ts';
import { renderPrompt } from './prompts.ts';
import type { SpecOf } from './suite-schema.ts';

type Spec = SpecOf<'multiple-choice'>;

/** Reads questions of rows. */
export interface QuestionReader {
  prompt(doc: Doc): string;
  choices(doc: Doc): string[];
  /** Index of the right choice. */
  gold(doc: Doc, choices: readonly string[]): number;
}

export async function openChoices(
  spec: Spec,
  place: string,
  all: Docs,
  docs: readonly Doc[],
): Promise<Pick<Task, 'items' | 'metrics' | 'filters' | 'run' | 'shots'>> {
  const { delimiter, chat = false, mutual_information: unconditional } = spec;
  const read = questionsOf(spec, place, all);
  const examples = await examplesOf(spec, place, all, (rows) => {
    const own = questionsOf(spec, place, rows);
    return (doc) => {
      const choices = own.choices(doc);
      return own.prompt(doc) + delimiter + choices[own.gold(doc, choices)]!;
    };
  });
  const items = docs.map((doc): Item<ChoiceRequest> => {
    const choices = read.choices(doc);
    return {
      doc,
      request: {
        choices,
        gold: [read.gold(doc, choices)],
        context: examples(doc) + read.prompt(doc),
        // As in lm-eval, a chat's answer starts right after the generation prompt.
        continuations: choices.map((one) => (chat ? '' : delimiter) + one),
        unconditional,
      },
    };
  });
  return {
    items,
    shots: spec.few_shot?.count ?? 0,
    metrics: [
      ...[shareOf('acc'), shareOf('acc_norm'), shareOf('acc_bytes')],
      ...(unconditional ? [shareOf('acc_mutual_info')] : []),
      meanOf('brier_score', false),
    ],
    filters: ['none'],
    run: (asked, subject, hooks) =>
      runChoices(
        (asked as Item<ChoiceRequest>[]).map((item) => (chat ? asChat(item, subject) : item)),
        subject,
        original(asked, hooks),
      ),
  };
}

function asChat({ doc, request }: Item<ChoiceRequest>, { model }: Subject): Item<ChoiceRequest> {
  const prompt = { content: request.context as string, system: null, chat: true };
  return { doc, request: { ...request, context: renderPrompt(prompt, model.tokenizer).text } };
}

/** Reports outcomes for the items as they are in the task. */
function original(items: readonly Item[], hooks: RunHooks): RunHooks {
  const byId = new Map(items.map((item) => [item.doc.id, item]));
  return { ...hooks, done: ({ doc }, outcome) => hooks.done(byId.get(doc.id)!, outcome) };
}

function questionsOf(spec: Spec, place: string, { columns }: Docs): QuestionReader {
  const prompt = readerOf(spec.prompt, columns, `${place}: prompt`);
  const answer = readerOf(spec.answer, columns, `${place}: answer`);
  const choices =
    typeof spec.choices === 'string'
      ? listReader(readerOf(spec.choices, columns, `${place}: choices`))
      : textsReader(spec.choices.map((one) => readerOf(one, columns, `${place}: choices`)));
  return {
    prompt: (doc) => textOf(prompt, doc, 'prompt'),
    choices,
    gold: (doc, texts) => goldOf(answer, doc, texts),
  };
}

const textsReader =
  (readers: readonly Reader[]) =>
  (doc: Doc): string[] =>
    choiceList(
      readers.map((one) => textOf(one, doc, 'choices')),
      doc,
      'choices',
    );

const listReader = (reader: Reader) => (doc: Doc) => {
  const value = reader.read(doc);
  // Cells of CSV files and texts of templates are lists as Python or JSON write them.
  if (typeof value !== 'string') return choiceList(value, doc, 'choices');
  try {
    return choiceList(parsePythonLiteral(value), doc, 'choices');
  } catch (error) {
    if (!(error instanceof LiteralError)) throw error;
    const expected = "a list, such as ['yes', 'no']";
    throw new DataError({ ...doc.place, field: 'choices', expected, found: error.message });
  }
};

/**
 * The right choice by its text, its index or its letter, in this order; a template's digits are an
 * index first.
 */
function goldOf(answer: Reader, doc: Doc, choices: readonly string[]): number {
  const value = plainNumbers(answer.read(doc));
  const text = typeof value === 'string' ? value.trim() : null;
  const index = typeof value === 'number' ? value : /^\d+$/.test(text ?? '') ? Number(text) : -1;
  const same = text === null ? -1 : choices.findIndex((one) => one.trim() === text);
  const letter = /^[A-Z]$/.test(text ?? '') ? text!.charCodeAt(0) - 65 : -1;
  const order = answer.column ? [same, index, letter] : [index, same, letter];
  const found = order.find((one) => Number.isInteger(one) && one >= 0 && one < choices.length);
  if (found !== undefined) return found;
  throw new DataError({
    ...doc.place,
    field: 'answer',
    expected: `one of the ${choices.length} choices: its text, its index from 0 or its letter`,
    found: exactJson(value) ?? 'nothing',
  });
}
