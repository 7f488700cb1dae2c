// Judgements of FastChat's MT-Bench: {question_id, model_1, model_2, g1_winner, g2_winner}. As
// there, a model wins if it wins both games; otherwise it is a tie.
import { describeValue } from '@keel/align/data';
import type { BattleFormat } from '../battles/row-battle.ts';
import { modelsIn } from './fields.ts';

const winners = ['model_1', 'model_2', 'tie', 'error'];

export const mtBench: BattleFormat = {
  name: 'mt-bench',
  columns: 'model_1, model_2, g1_winner, g2_winner (MT-Bench)',
  recognise: (row) => ['model_1', 'model_2', 'g1_winner', 'g2_winner'].every((name) => name in row),
  battles: (row, reading) => {
    const [a, b] = modelsIn(row, ['model_1', 'model_2'], reading);
    const games = ['g1_winner', 'g2_winner'].map((field) => {
      const winner = row[field];
      if (typeof winner === 'string' && winners.includes(winner)) return winner;
      return reading.fail(field, { expected: winners.join(', '), found: describeValue(winner) });
    });
    if (games.includes('error')) return reading.skip('judgements with an error');
    const both = games[0] === games[1] ? games[0] : 'tie';
    const { question_id: question } = row;
    return [
      {
        ...{ a, b, outcome: both === 'tie' ? 0.5 : Number(both === 'model_1') },
        prompt: question === undefined ? null : `question ${String(question)}`,
        style: () => null,
      },
    ];
  },
};
