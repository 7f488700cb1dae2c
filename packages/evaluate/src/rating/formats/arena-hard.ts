// Judgements of Arena-Hard-Auto: {uid, model, baseline, games [{score}, {score}]}. The model is B
// in the first game and A in the second. Strong wins weigh 3, as there.
import { describeValue } from '@keel/align/data';
import { isPlainObject } from '@keel/model/exact-json';
import type { BattleFormat } from '../battles/row-battle.ts';
import { judgeIn, modelsIn } from './fields.ts';

/** P(A is better), and the weight. */
const scores: Readonly<Record<string, readonly [number, number]>> = {
  'A>>B': [1, 3],
  'A>B': [1, 1],
  'A=B': [0.5, 1],
  'B>A': [0, 1],
  'B>>A': [0, 3],
  'A<B': [0, 1],
  'A<<B': [0, 3],
  'B=A': [0.5, 1],
  'B<A': [1, 1],
  'B<<A': [1, 3],
};

export const arenaHard: BattleFormat = {
  name: 'arena-hard',
  columns: 'model, baseline, games (Arena-Hard)',
  recognise: (row) => 'model' in row && 'baseline' in row && Array.isArray(row.games),
  battles: (row, reading) => {
    const [model, baseline] = modelsIn(row, ['model', 'baseline'], reading);
    const { uid } = row;
    const found = (row.games as unknown[]).flatMap((game, index) => {
      const score = isPlainObject(game) ? game.score : undefined;
      if (score === null) return [];
      const known = typeof score === 'string' ? scores[score] : undefined;
      if (known === undefined) {
        return reading.fail(`games[${index}].score`, {
          expected: Object.keys(scores).slice(0, 5).join(', '),
          found: describeValue(score),
        });
      }
      const [first, weight] = known;
      const [a, b] = index === 0 ? [baseline, model] : [model, baseline];
      const prompt = uid === undefined ? null : `uid ${String(uid)}`;
      return [{ a, b, outcome: first, weight, prompt, style: () => null, ...judgeIn(row) }];
    });
    if (found.length === 0) return reading.skip('judgements without a score');
    if (found.length < (row.games as unknown[]).length) reading.skip('games without a score');
    return found;
  },
};
