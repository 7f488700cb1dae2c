// Log lines of a FastChat arena: {tstamp, type, models[2], states[2] {model_name, messages}}. Only
// votes are battles.
import { describeValue } from '@keel/align/data';
import { isPlainObject } from '@keel/model/exact-json';
import { type AnswerStyle, styleOf } from '../battles/answer-style.ts';
import type { BattleFormat, Fields, RowReading } from '../battles/row-battle.ts';

const outcomes: Readonly<Record<string, number>> = {
  leftvote: 1,
  rightvote: 0,
  tievote: 0.5,
  bothbad_vote: 0.5,
};

export const arenaVotes: BattleFormat = {
  name: 'arena-votes',
  columns: 'type, models, states (log of an arena)',
  recognise: (row) => typeof row.type === 'string' && ('states' in row || 'models' in row),
  battles: (row, reading) => {
    const outcome = outcomes[String(row.type)];
    if (outcome === undefined)
      return reading.skip('log lines that are no votes between two models');
    const names = [nameOf(row, 0, reading), nameOf(row, 1, reading)] as const;
    if (names[0] === names[1]) return reading.skip('votes between two answers of the same model');
    const [a, b] = [messagesOf(row, 0), messagesOf(row, 1)];
    return [
      {
        ...{ a: names[0], b: names[1], outcome },
        prompt: a.find(([role]) => /^(user|human)$/i.test(role))?.[1] ?? null,
        style: () => (a.length === 0 || b.length === 0 ? null : [styleIn(a), styleIn(b)]),
      },
    ];
  },
};

/** `models` is empty in anonymous battles; the state then has the name. */
function nameOf({ models, states }: Fields, side: 0 | 1, { fail }: RowReading): string {
  const name = Array.isArray(models) ? (models as unknown[])[side] : undefined;
  if (typeof name === 'string' && name !== '') return name;
  const state = Array.isArray(states) ? (states as unknown[])[side] : undefined;
  const own = isPlainObject(state) ? state.model_name : undefined;
  if (typeof own === 'string' && own !== '') return own;
  return fail(`models[${side}]`, {
    expected: `a model's name here or in states[${side}].model_name`,
    found: describeValue(name),
  });
}

type Said = readonly [role: string, text: string];

/** Messages that have text: the last one is empty while an answer is pending. */
function messagesOf({ states }: Fields, side: 0 | 1): Said[] {
  const state = Array.isArray(states) ? (states as unknown[])[side] : undefined;
  const messages = isPlainObject(state) ? state.messages : undefined;
  if (!Array.isArray(messages)) return [];
  return (messages as unknown[]).flatMap((message): Said[] => {
    if (!Array.isArray(message)) return [];
    const [role, text] = message as unknown[];
    return typeof role === 'string' && typeof text === 'string' ? [[role, text]] : [];
  });
}

const styleIn = (messages: readonly Said[]): AnswerStyle =>
  styleOf(
    messages
      .filter(([role]) => !/^(user|human|system)$/i.test(role))
      .map(([, text]) => text)
      .join('\n'),
  );
