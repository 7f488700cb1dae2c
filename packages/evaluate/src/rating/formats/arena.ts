// Battles of Chatbot Arena, as FastChat's clean_battle_data writes them and as lmarena publishes
// them: {model_a, model_b, winner, conversation_a, conversation_b, conv_metadata, …}.
import { describeValue } from '@keel/align/data';
import { isPlainObject, parseExactJson, plainNumbers } from '@keel/model/exact-json';
import type { AnswerStyle } from '../battles/answer-style.ts';
import type { BattleContent, BattleFormat, Fields } from '../battles/row-battle.ts';
import {
  contentIn,
  contentOf,
  judgeIn,
  modelsIn,
  numberIn,
  promptText,
  stylesOf,
  weightIn,
} from './fields.ts';

const outcomes: Readonly<Record<string, number>> = {
  model_a: 1,
  model_b: 0,
  tie: 0.5,
  'tie (bothbad)': 0.5,
  both_bad: 0.5,
  bothbad: 0.5,
};

export const arena: BattleFormat = {
  name: 'arena',
  columns: 'model_a, model_b, winner (Chatbot Arena)',
  recognise: (row) => 'model_a' in row && 'model_b' in row && 'winner' in row,
  battles: (row, reading) => {
    const [a, b] = modelsIn(row, ['model_a', 'model_b'], reading);
    const { winner } = row;
    const outcome = typeof winner === 'string' ? outcomes[winner.trim()] : undefined;
    if (outcome === undefined) {
      reading.fail('winner', {
        expected: Object.keys(outcomes).slice(0, 5).join(', '),
        found: describeValue(winner),
      });
    }
    const prompt = promptText(row.prompt) ?? openingOf(row.conversation_a);
    const style = (): readonly [AnswerStyle, AnswerStyle] | null =>
      countedStyles(row.conv_metadata) ??
      stylesOf(row.conversation_a ?? row.answer_a, row.conversation_b ?? row.answer_b);
    const content = (): BattleContent | null =>
      contentIn(undefined, row.conversation_a, row.conversation_b) ??
      contentIn(row.prompt, row.answer_a, row.answer_b);
    return [
      {
        ...{ a, b, outcome: outcome!, prompt, style, content },
        ...(/bad/.test(String(winner)) && { bothBad: true }),
        ...{ ...weightIn(row, reading), ...judgeIn(row) },
      },
    ];
  },
};

/** The form of the Kaggle competition of 2024: one of three columns is 1. */
export const arenaKaggle: BattleFormat = {
  name: 'arena-kaggle',
  columns: 'model_a, model_b, winner_model_a, winner_model_b, winner_tie (Kaggle)',
  recognise: (row) =>
    ['model_a', 'model_b', 'winner_model_a', 'winner_model_b', 'winner_tie'].every(
      (name) => name in row,
    ),
  battles: (row, reading) => {
    const [a, b] = modelsIn(row, ['model_a', 'model_b'], reading);
    const [won, lost, tie] = ['winner_model_a', 'winner_model_b', 'winner_tie'].map((field) =>
      numberIn(row, field, [0, 1], reading),
    ) as [number, number, number];
    if (won + lost + tie !== 1) {
      reading.fail('winner_tie', {
        expected: 'exactly one of the winner columns with 1',
        found: `${won}, ${lost} and ${tie}`,
      });
    }
    // Turns are lists in JSON: ["first prompt", "second prompt"].
    const style = () => stylesOf(turnsIn(row.response_a), turnsIn(row.response_b));
    const content = (): BattleContent | null => kaggleContent(row);
    return [{ a, b, outcome: won + tie / 2, prompt: promptText(row.prompt), style, content }];
  },
};

/** The first user turn of a conversation. */
function openingOf(conversation: unknown): string | null {
  if (!Array.isArray(conversation)) return null;
  const first = (conversation as unknown[]).find(
    (turn) => isPlainObject(turn) && turn.role === 'user',
  );
  return isPlainObject(first) ? contentOf(first.content) : null;
}

function turnsIn(value: unknown): unknown {
  const turns = turnList(value);
  return turns === null ? value : turns.map(String).join('\n');
}

/** The turns of one side; null if the value is not a list of them as JSON. */
function turnList(value: unknown): unknown[] | null {
  if (typeof value !== 'string') return null;
  try {
    const turns: unknown = parseExactJson(value);
    return Array.isArray(turns) ? turns : null;
  } catch {
    return null;
  }
}

/** Both conversations as chats; a turn of Kaggle's files may be null, which is empty. */
function kaggleContent({ prompt, response_a, response_b }: Fields): BattleContent | null {
  const [asked, a, b] = [turnList(prompt), turnList(response_a), turnList(response_b)];
  if (asked === null || a === null || b === null) return contentIn(prompt, response_a, response_b);
  const chat = (answers: readonly unknown[]) =>
    asked.flatMap((text, at) => [
      { role: 'user', content: String(text ?? '') },
      { role: 'assistant', content: String(answers[at] ?? '') },
    ]);
  return { a: chat(a), b: chat(b) };
}

/** Counts that the published rows contain: tokens and Markdown of both answers. */
function countedStyles(metadata: unknown): readonly [AnswerStyle, AnswerStyle] | null {
  if (!isPlainObject(metadata)) return null;
  const [a, b] = [countedStyle(metadata, 'a'), countedStyle(metadata, 'b')];
  return a === null || b === null ? null : [a, b];
}

function countedStyle(metadata: Fields, side: 'a' | 'b'): AnswerStyle | null {
  const length = plainNumbers(metadata[`sum_assistant_${side}_tokens`]);
  if (typeof length !== 'number') return null;
  const total = (name: string): number => {
    const counts = metadata[`${name}_count_${side}`];
    const values = isPlainObject(counts) ? Object.values(counts) : [counts];
    return values.reduce<number>((sum, one) => {
      const value = plainNumbers(one);
      return sum + (typeof value === 'number' ? value : 0);
    }, 0);
  };
  return { length, headers: total('header'), lists: total('list'), bold: total('bold') };
}
