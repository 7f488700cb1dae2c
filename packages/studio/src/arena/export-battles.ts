// `keel data export --to battles`: battles in the form of Chatbot Arena, which `keel rate` reads.
import type { PreferenceStore } from '../store/preference-store.ts';
import type { BattleVote } from '../store/schema.ts';

const winners: Readonly<Record<BattleVote, string>> = {
  ...{ left: 'model_a', right: 'model_b', tie: 'tie', both_bad: 'tie (bothbad)' },
};

/**
 * Rows with `model_a` on the left.
 * @returns them, and the battles that are none: answers that name their model or maker
 */
export async function battleRows(
  store: PreferenceStore,
  project: string,
): Promise<{ rows: object[]; leaked: number }> {
  const rows: object[] = [];
  let leaked = 0;
  for await (const battle of store.votedBattles(project)) {
    if (battle.leak !== null) {
      leaked += 1;
      continue;
    }
    const { id, models, vote, person, turns, category, votedAt } = battle;
    const conversation = (side: 'left' | 'right') =>
      turns.flatMap((turn) => [
        { role: 'user', content: turn.prompt },
        { role: 'assistant', content: turn[side] },
      ]);
    rows.push({
      ...{ question_id: id, model_a: models.left, model_b: models.right, winner: winners[vote!] },
      ...{ judge: person, turn: turns.length, anony: true, tstamp: Date.parse(votedAt!) / 1000 },
      ...(category !== null && { category }),
      ...{ conversation_a: conversation('left'), conversation_b: conversation('right') },
    });
  }
  return { rows, leaked };
}
