// Alpaca (Stanford), and LLaMA-Factory's form of it with system messages, history, pairs and
// thumbs.
import { describeValue } from '../../data/data-error.ts';
import { isEmpty } from '../../data/is-empty.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import {
  assistant,
  has,
  hasPair,
  isBlank,
  labelIn,
  listIn,
  optionalText,
  systemTurns,
  textIn,
  toolsOf,
  user,
  without,
} from './turns.ts';

const own = [
  'instruction',
  'input',
  'output',
  'system',
  'history',
  'chosen',
  'rejected',
  'kto_tag',
];

export const alpaca: RowFormat = {
  name: 'alpaca',
  columns: '`instruction`, `input`, `output` (or `chosen` and `rejected`); `system`, `history`',
  reads: own,
  recognise(row) {
    if (!('instruction' in row)) return null;
    if ('output' in row) return 'the columns "instruction" and "output"';
    return 'chosen' in row && 'rejected' in row
      ? 'the columns "instruction", "chosen" and "rejected"'
      : null;
  },
  convert([row], reading): Example {
    const { kto_tag: tag } = row!;
    const columns = without(row!, own);
    if (has(row!, 'tools')) columns.tools = toolsOf(row!.tools);
    // Stanford's file repeats the whole text, with its own template.
    const instruction = textIn(row!, 'instruction', reading);
    if (typeof columns.text === 'string' && columns.text.includes(instruction)) {
      reading.drop('text', 'it repeats the other columns');
      delete columns.text;
    }
    // LLaMA-Factory joins the two in the same way.
    const input = optionalText(row!, 'input', reading);
    const asked = input === '' ? instruction : `${instruction}\n${input}`;
    if (!isBlank(columns.context)) {
      reading.fail('context', {
        expected: 'the context in "input"',
        found: describeValue(columns.context),
        advice: 'Move its text to "input", or remove the column',
      });
    }
    const earlier = historyOf(row!.history, reading);
    const prompt = [...systemTurns(row!, reading), ...earlier, user(asked)];
    if (hasPair(row!, reading)) {
      for (const name of ['output', 'kto_tag']) {
        if (!isEmpty(row![name])) reading.drop(name, 'the row is a pair');
      }
      const chosen = [assistant(textIn(row!, 'chosen', reading))];
      const rejected = [assistant(textIn(row!, 'rejected', reading))];
      return { kind: 'pair', prompt, chosen, rejected, scores: {}, columns };
    }
    const completion = [assistant(textIn(row!, 'output', reading))];
    if (!isBlank(tag)) {
      return { kind: 'thumb', prompt, completion, label: labelIn(tag), columns };
    }
    return { kind: 'chat', messages: [...prompt, ...completion], columns };
  },
};

/** Earlier turns: pairs of a question and its answer. */
function historyOf(value: unknown, { fail }: Reading): object[] {
  if (value === undefined || value === null || value === '') return [];
  const turns = listIn(value);
  if (turns === null) {
    return fail('history', {
      expected: 'a list of questions with their answers',
      found: describeValue(value),
    });
  }
  return turns.flatMap((turn, at) => {
    const [asked, answer] = (Array.isArray(turn) ? turn : []) as unknown[];
    if (
      typeof asked === 'string' &&
      typeof answer === 'string' &&
      (turn as unknown[]).length === 2
    ) {
      return [user(asked), assistant(answer)];
    }
    return fail(`history[${at}]`, {
      expected: 'a question and its answer',
      found: describeValue(turn),
    });
  });
}

/** Databricks' Dolly: the same with other names. */
export const dolly: RowFormat = {
  name: 'dolly',
  columns: '`instruction`, `context`, `response`',
  reads: [...own, 'context', 'response'],
  recognise: (row) =>
    'instruction' in row && 'response' in row && !('output' in row)
      ? 'the columns "instruction" and "response"'
      : null,
  convert([row], reading) {
    const { context: _, response: output, ...others } = row as Fields;
    const context = optionalText(row!, 'context', reading);
    if (context !== '' && !isEmpty(others.input)) reading.drop('input', '"context" is used');
    const input = context === '' ? others.input : context;
    return alpaca.convert([{ ...others, input, output }], reading);
  },
};
