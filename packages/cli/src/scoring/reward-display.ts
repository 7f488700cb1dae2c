import type { RewardOutcome } from '@keel/align/rewards';
import { say, sayJson } from '../terminal.ts';
import type { JudgedKind, JudgedRow } from './reward-rows.ts';
import { RewardTally } from './reward-tally.ts';

/** Shows rows' rewards as they are scored. */
export interface RewardDisplay {
  row(index: number, row: JudgedRow, outcomes: readonly RewardOutcome[]): void;
  end(): void;
}

/** One JSON object per row. */
export const jsonRewards = (kind: JudgedKind): RewardDisplay => ({
  row(row, { probability }, outcomes) {
    const label = probability !== undefined && { label_probability: probability };
    sayJson({ row, ...fields(kind, outcomes), ...label });
  },
  end() {},
});

function fields(kind: JudgedKind, outcomes: readonly RewardOutcome[]): object {
  const scores = outcomes.map(({ score }) => score);
  const aspects = outcomes.map((outcome) => outcome.aspects ?? {});
  const notes = outcomes.map(({ note }) => note ?? null);
  const [first, second] = [0, 1];
  if (kind === 'completion') {
    const note = notes[first];
    return { reward: scores[first], aspects: aspects[first], ...(note !== null && { note }) };
  }
  const noted = notes.some((note) => note !== null);
  if (kind !== 'preference') return { rewards: scores, aspects, ...(noted && { notes }) };
  return {
    reward_chosen: scores[first],
    reward_rejected: scores[second],
    aspects_chosen: aspects[first],
    aspects_rejected: aspects[second],
    ...(noted && { note_chosen: notes[first], note_rejected: notes[second] }),
  };
}

const SHOWN_ROWS = 20;

const columnNames: Record<JudgedKind, readonly string[]> = {
  completion: ['reward', 'note'],
  preference: ['reward chosen', 'reward rejected', 'margin'],
  ranking: ['rewards'],
  samples: ['rewards'],
};

/** A table of the first rows, then a summary of all rows. */
export class RewardTable implements RewardDisplay {
  readonly #kind: JudgedKind;
  readonly #tally = new RewardTally();
  #rows = 0;

  constructor(kind: JudgedKind) {
    this.#kind = kind;
  }

  row(index: number, row: JudgedRow, outcomes: readonly RewardOutcome[]): void {
    this.#tally.add(row, outcomes);
    // Not before the first reward, since an error may come instead of it.
    if (this.#rows === 0) say(line(['row', ...columnNames[this.#kind]]));
    this.#rows += 1;
    if (this.#rows <= SHOWN_ROWS) say(line([String(index), ...this.#cells(outcomes)]));
  }

  end(): void {
    if (this.#rows > SHOWN_ROWS) say(`… and ${this.#rows - SHOWN_ROWS} more rows`);
    say('');
    for (const text of this.#tally.lines()) say(text);
  }

  #cells(outcomes: readonly RewardOutcome[]): string[] {
    const scores = outcomes.map(({ score }) => score);
    const shown = scores.map((score) => score?.toFixed(3) ?? '-');
    if (this.#kind === 'completion') return [shown[0]!, oneLine(outcomes[0]!.note ?? '')];
    if (this.#kind !== 'preference') return [shown.join('  ')];
    const [chosen, rejected] = scores as [number | null, number | null];
    const margin = chosen === null || rejected === null ? '-' : (chosen - rejected).toFixed(3);
    return [...shown, margin];
  }
}

const oneLine = (note: string): string => note.replace(/\s+/g, ' ').slice(0, 100);

/** Aligns words left and numbers right. */
const line = (cells: readonly string[]): string =>
  cells
    .map((text, column) => {
      if (column === 0) return text.padStart(6);
      return /^[-\d.]*$|^(?:reward|margin)/.test(text) ? text.padStart(17) : `  ${text}`;
    })
    .join('')
    .trimEnd();
