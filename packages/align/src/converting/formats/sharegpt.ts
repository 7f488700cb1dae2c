// ShareGPT: turns with `from` and `value`. The variants of LLaMA-Factory and axolotl add pairs,
// thumbs, tools and a system message.
import { isPlainObject } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import { isTurn } from '../../data/messages.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import {
  areMessages,
  areShareGptTurns,
  askedBy,
  has,
  hasPair,
  isBlank,
  jsonIn,
  labelIn,
  listIn,
  messageOf,
  messagesOf,
  plainText,
  systemTurns,
  toolsOf,
  without,
} from './turns.ts';

const lists = ['conversations', 'conversation', 'messages'] as const;
const own = ['system', 'tools', 'chosen', 'rejected', 'kto_tag'];

/** The column that holds the turns. */
function turnsIn(row: Fields): (typeof lists)[number] | null {
  const name = lists.find((one) => areShareGptTurns(listIn(row[one])));
  if (name !== undefined) return name;
  return lists.find((one) => one !== 'messages' && areMessages(listIn(row[one]))) ?? null;
}

export const shareGpt: RowFormat = {
  name: 'sharegpt',
  columns: '`conversations` of `from` and `value` (or `role` and `content`); `system`, `tools`',
  reads: [...lists, ...own],
  recognise(row) {
    const name = turnsIn(row);
    if (name === null) return null;
    const form = areShareGptTurns(listIn(row[name])) ? '"from" and "value"' : '"role"';
    return `the column "${name}", whose turns have ${form}`;
  },
  convert([row], reading): Example {
    const { fail } = reading;
    const name = turnsIn(row!) ?? lists.find((one) => has(row!, one));
    const list = name === undefined ? null : listIn(row![name]);
    if (name === undefined || list === null || list.length === 0) {
      const expected = 'a list of turns with "from" and "value"';
      return fail(name ?? 'conversations', { expected, found: describeValue(row![name ?? '']) });
    }
    const columns = without(row!, [name, ...own]);
    if (has(row!, 'tools')) columns.tools = toolsOf(row!.tools);
    const turns = messagesOf(list, name, reading);
    const system = systemTurns(row!, reading) as { content: string }[];
    const first = isPlainObject(turns[0]) && turns[0].role === 'system' ? turns[0] : null;
    if (
      first !== null &&
      system.some(({ content }) => content.trim() !== String(first.content).trim())
    ) {
      return fail('system', {
        expected: `the same text as in the system turn of "${name}"`,
        found: describeValue(row!.system),
        advice: 'Keep one of the two: remove the column, or the turn',
      });
    }
    const messages = [...(first === null ? system : []), ...turns];
    if (hasPair(row!, reading)) {
      if (has(row!, 'kto_tag')) reading.drop('kto_tag', 'the row is a pair');
      const answer = (field: string): unknown[] => answerOf(row![field], field, reading);
      const [chosen, rejected] = [answer('chosen'), answer('rejected')];
      const prompt = askedBy(messages, name, reading);
      return { kind: 'pair', prompt, chosen, rejected, scores: {}, columns };
    }
    if (!isBlank(row!.kto_tag)) {
      const completion = messages.slice(-1);
      const prompt = messages.slice(0, -1);
      return { kind: 'thumb', prompt, completion, label: labelIn(row!.kto_tag), columns };
    }
    return { kind: 'chat', messages, columns };
  },
};

/** An answer of a pair: its text, its turn, or several turns; these also as JSON text. */
function answerOf(value: unknown, field: string, reading: Reading): unknown[] {
  const read = jsonIn(value);
  if (areShareGptTurns([read]) || areMessages([read])) return [messageOf(read, field, reading)];
  if (Array.isArray(read) && (typeof value !== 'string' || read.every(isTurn))) {
    return messagesOf(read, field, reading);
  }
  if (typeof value !== 'string') return [messageOf(value, field, reading)];
  return [{ role: 'assistant', content: plainText(value, field, reading.fail) }];
}
