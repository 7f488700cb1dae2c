import type { Lineage, RoundOutcome } from './revise.ts';

/** What a revision did to the answers. */
export interface RevisionSummary {
  prompts: number;
  /** Prompts without an answer, by reason. */
  failed: Record<string, number>;
  /** Rounds by their outcome. */
  rounds: Record<RoundOutcome, number>;
  /** Dropped critiques and revisions, by reason. */
  dropped: Record<string, number>;
  /** By principle: rounds that used it, and revisions that came of them. */
  principles: Record<string, { rounds: number; revised: number }>;
  /** Rows that were written. */
  supervised: number;
  preferences: number;
  /** Preferences with a first answer that was cut off: training refuses them. */
  cutOff: number;
  /** Mean letters of first answers and of final answers; null without answers. */
  length: { answer: number; final: number } | null;
}

/** Counts lineages as they are read. */
export class RevisionTally {
  readonly #summary: RevisionSummary = {
    ...{ prompts: 0, failed: {}, dropped: {}, principles: {}, length: null },
    rounds: { revised: 0, 'nothing to change': 0, 'no critique': 0, 'no revision': 0 },
    ...{ supervised: 0, preferences: 0, cutOff: 0 },
  };
  #answers = 0;
  #letters = { answer: 0, final: 0 };

  add(lineage: Lineage, rows: { supervised: boolean; preference: object | null }): void {
    const { failed, dropped, rounds, principles } = this.#summary;
    this.#summary.prompts += 1;
    if (lineage.failed !== undefined) failed[lineage.failed] = (failed[lineage.failed] ?? 0) + 1;
    else {
      this.#answers += 1;
      this.#letters.answer += lineage.answer.length;
      this.#letters.final += lineage.final.length;
    }
    for (const round of lineage.rounds) {
      rounds[round.outcome] += 1;
      if (round.dropped !== undefined) {
        const why = `${round.outcome}: ${round.dropped}`;
        dropped[why] = (dropped[why] ?? 0) + 1;
      }
      principles[round.principle] ??= { rounds: 0, revised: 0 };
      const own = principles[round.principle]!;
      own.rounds += 1;
      if (round.outcome === 'revised') own.revised += 1;
    }
    if (rows.supervised) this.#summary.supervised += 1;
    if (rows.preference === null) return;
    this.#summary.preferences += 1;
    if (!lineage.answer_ended) this.#summary.cutOff += 1;
  }

  summary(): RevisionSummary {
    const { answer, final } = this.#letters;
    const count = this.#answers;
    const length = count === 0 ? null : { answer: answer / count, final: final / count };
    return { ...this.#summary, length };
  }
}
