import {
  type KeptScores,
  loadReference,
  type ReferenceKey,
  referenceCachePath,
  saveReference,
} from './reference-scores.ts';

type SharedScores = Pick<KeptScores<never>, 'values' | 'restore' | 'computed'>;

/**
 * Reference log-probabilities that runs on the same pairs have in common: one that a run has computed, the next ones find.
 * Unlike those computed in advance they are known only for pairs that came up, so that a short run on many pairs costs no more.
 */
export class SharedReferences {
  readonly #folder: string;
  #open: { path: string; scores: SharedScores }[] = [];
  #computed = 0;

  /** @param folder where they are kept, by content; it is made when there is something to keep */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Pairs that were computed, and not found, in all runs that have ended. */
  get computed(): number {
    return this.#computed;
  }

  /** Fills in what earlier runs have computed. @returns whether there was anything */
  load(scores: SharedScores, key: ReferenceKey): boolean {
    const path = referenceCachePath(this.#folder, key);
    this.#open.push({ path, scores });
    return loadReference(path, scores);
  }

  /** Keeps what was computed since; to be called when a run ends, however it does. */
  save(): void {
    for (const { path, scores } of this.#open) {
      this.#computed += scores.computed;
      if (scores.computed > 0) saveReference(path, scores);
    }
    this.#open = [];
  }
}
