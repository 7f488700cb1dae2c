// Battles between models that contain the answers: Chatbot Arena, Kaggle's form of it, and verdicts
// of keel judge. The parser is that of `keel rate`.
import type { Fields } from '@keel/align/converting';
import { parseRow } from '@keel/align/data';
import { detectBattles } from '@keel/evaluate/rating';
import { plainNumbers } from '@keel/model/exact-json';
import type { TaskInput } from '../../store/items.ts';
import { markEmpty, unmarked } from './empty-answers.ts';
import type { TaskFormat } from './task-format.ts';

const own = new Set([
  ...['model_a', 'model_b', 'winner', 'judge', 'prompt', 'preference_b', 'weight', 'failed'],
  ...['conversation_a', 'conversation_b', 'answer_a', 'answer_b', 'response_a', 'response_b'],
  ...['winner_model_a', 'winner_model_b', 'winner_tie', 'conv_metadata'],
]);

export const battles: TaskFormat = {
  name: 'battles',
  recognise: (row) =>
    'model_a' in row &&
    'model_b' in row &&
    ('winner' in row || 'winner_model_a' in row || 'preference_b' in row)
      ? 'the columns "model_a", "model_b" and who won (Chatbot Arena, keel judge)'
      : null,
  read([row], reading): TaskInput | null {
    let skipped: string | null = null;
    const [battle] = detectBattles(row!, reading.place).battles(markEmpty(row!), {
      ...{ place: reading.place, fail: reading.fail },
      skip: (why) => {
        skipped = why;
        return [];
      },
    });
    if (battle === undefined) return reading.skip(skipped ?? 'no battle');
    const content = battle.content?.() ?? null;
    if (content === null) {
      return reading.fail(undefined, {
        expected: 'both answers (conversation_a and conversation_b, or answer_a and answer_b)',
        found: 'a battle without them',
        advice: 'To rate models by such battles, use `keel rate`',
      });
    }
    const { outcome, bothBad, judge, a, b } = battle;
    const { prompt, a: chosen, b: rejected } = content;
    const pair = parseRow(
      'preference',
      { ...(prompt !== undefined && { prompt }), chosen, rejected },
      reading.place,
    );
    const soft = outcome !== 0 && outcome !== 0.5 && outcome !== 1;
    const tie = bothBad === true ? 'both_bad' : 'tie';
    const columns: Fields = {};
    for (const [name, value] of Object.entries(row!))
      if (!own.has(name)) columns[name] = plainNumbers(value);
    return unmarked({
      kind: 'pair',
      prompt: pair.prompt,
      answers: [
        { content: pair.chosen, model: a },
        { content: pair.rejected, model: b },
      ],
      columns,
      shown: true,
      annotations: [
        {
          person: judge ?? reading.person,
          choice: outcome === 0.5 ? tie : outcome > 0.5 ? 'left' : 'right',
          ...(soft && { probability: outcome }),
        },
      ],
    });
  },
};
