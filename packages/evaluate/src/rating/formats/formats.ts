// Every form of battles that `keel rate` reads. To add one, write its file and a line here.
import { DataError, type Place } from '@keel/align/data';
import type { BattleFormat, Fields } from '../battles/row-battle.ts';
import { alpacaEval } from './alpaca-eval.ts';
import { arena, arenaKaggle } from './arena.ts';
import { arenaHard } from './arena-hard.ts';
import { arenaVotes } from './arena-votes.ts';
import { labels } from './labels.ts';
import { mtBench } from './mt-bench.ts';
import { verdicts } from './verdicts.ts';

/** A row that fits several is the first one. */
const formats: readonly BattleFormat[] = [
  ...[verdicts, arena, arenaKaggle, arenaVotes],
  ...[alpacaEval, mtBench, labels, arenaHard],
];

/** The format of a row, by its columns. @throws DataError if there is none */
export function detectBattles(row: Fields, place: Place): BattleFormat {
  const found = formats.find(({ recognise }) => recognise(row));
  if (found !== undefined) return found;
  throw new DataError({
    ...place,
    expected: `the columns of battles: ${formats.map(({ columns }) => columns).join('; ')}`,
    found: `the columns ${Object.keys(row).join(', ')}`,
    advice:
      'Name your columns with --columns, such as --columns model_a=left,model_b=right,winner=vote',
  });
}
