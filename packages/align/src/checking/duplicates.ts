// Finds duplicates and near duplicates of earlier rows, and held-out rows that are also training
// rows. Case and white space do not count.
import type { Place } from '../data/data-error.ts';
import { NEAR_THRESHOLD, NearDuplicates } from './near-duplicates.ts';
import { RepeatCounter, type Repeats } from './repeats.ts';
import type { RowView } from './row-view.ts';
import { normalised, textKey } from './text-key.ts';

export interface DuplicateFacts {
  /** Rows whose prompt, answers and verdict are those of an earlier row. */
  rows: Repeats;
  /** Rows with the prompt of an earlier row, and other answers. */
  prompts: Repeats;
  /** Pairs in the opposite order of an earlier row, and answers with the opposite label. */
  contradictions: Repeats;
  /** Pairs with an answer that is chosen in one row and rejected in another of the same prompt. */
  judgedBothWays: Repeats;
  /** null: not looked for */
  near: NearDuplicateFacts | null;
}

export interface NearDuplicateFacts {
  /** Share of five-character sequences in common, from 0 to 1. */
  threshold: number;
  /** Rows that are nearly an earlier one. */
  rows: Repeats;
  /** Prompts that are nearly an earlier one. */
  prompts: Repeats;
}

export interface OverlapFacts {
  /** Held-out rows that are also training rows. */
  rows: Repeats;
  /** Other held-out rows with the prompt of a training row. */
  prompts: Repeats;
  /** Other held-out rows whose prompt (of plain text: the text) is nearly one of a training row. */
  near: Repeats & { threshold: number };
}

export interface DuplicateOptions {
  /** Whether near duplicates within the training rows are looked for. */
  near: boolean;
  /** Whether held-out rows will be compared with these. */
  overlap: boolean;
}

type PlaceOf = (index: number) => Place;

export class DuplicateFinder {
  readonly #near: boolean;
  /** Index of the first row by the key of the row, and of the prompt. */
  readonly #rows = new Map<number, number>();
  readonly #prompts = new Map<number, number>();
  /** Twice the index of the first row with this prompt and answer, plus 1 where it is rejected. */
  readonly #verdicts = new Map<number, number>();
  readonly #repeated = {
    rows: new RepeatCounter(),
    prompts: new RepeatCounter(),
    contradictions: new RepeatCounter(),
    judgedBothWays: new RepeatCounter(),
  };
  readonly #nearPrompts: NearDuplicates | null;
  readonly #nearRows: NearDuplicates | null;

  constructor({ near, overlap }: DuplicateOptions) {
    this.#near = near;
    this.#nearPrompts = near || overlap ? new NearDuplicates() : null;
    this.#nearRows = near ? new NearDuplicates() : null;
  }

  /** @param row its index */
  add(view: RowView, row: number): void {
    const keyed = keyedRow(view);
    const key = rowKey(keyed);
    const same = this.#rows.get(key);
    if (same !== undefined) {
      this.#repeated.rows.add(row, same);
      return;
    }
    this.#rows.set(key, row);
    this.#addPrompt(keyed, row);
    this.#addVerdicts(keyed, row);
    if (view.answers.length > 0) this.#nearRows?.add(keyed.whole, row);
  }

  #addPrompt({ prompt, question, whole }: KeyedRow, row: number): void {
    if (prompt === null) {
      // Held-out rows of plain text are compared as a whole.
      if (!this.#near) this.#nearPrompts?.add(whole, row);
      return;
    }
    const same = this.#prompts.get(prompt);
    if (same !== undefined) {
      this.#repeated.prompts.add(row, same);
      return;
    }
    this.#prompts.set(prompt, row);
    this.#nearPrompts?.add(question, row);
  }

  #addVerdicts(keyed: KeyedRow, row: number): void {
    const opposite = oppositeKey(keyed);
    const contradicted = opposite === null ? undefined : this.#rows.get(opposite);
    if (contradicted !== undefined) this.#repeated.contradictions.add(row, contradicted);
    if (keyed.kind !== 'preference') return;
    let both: number | undefined;
    for (const [rejected, answer] of keyed.answers.entries()) {
      const key = textKey(`${keyed.prompt} ${answer}`);
      const earlier = this.#verdicts.get(key);
      if (earlier === undefined) this.#verdicts.set(key, 2 * row + rejected);
      else if (earlier % 2 !== rejected) both ??= Math.floor(earlier / 2);
    }
    if (both !== undefined && contradicted === undefined) {
      this.#repeated.judgedBothWays.add(row, both);
    }
  }

  facts(place: PlaceOf): DuplicateFacts {
    const { rows, prompts, contradictions, judgedBothWays } = this.#repeated;
    return {
      rows: rows.repeats(place),
      prompts: prompts.repeats(place),
      contradictions: contradictions.repeats(place),
      judgedBothWays: judgedBothWays.repeats(place),
      near: this.#near
        ? {
            threshold: NEAR_THRESHOLD,
            rows: nearRepeats(this.#nearRows!, place),
            prompts: nearRepeats(this.#nearPrompts!, place),
          }
        : null,
    };
  }

  /** Compares held-out rows with the rows that were added. */
  heldOut(): OverlapFinder {
    this.#nearPrompts!.finish();
    this.#nearRows?.finish();
    return new OverlapFinder({
      row: (keyed) => this.#rows.get(rowKey(keyed)),
      prompt: ({ prompt }) => (prompt === null ? undefined : this.#prompts.get(prompt)),
      near: ({ prompt, question, whole }) =>
        prompt !== null
          ? this.#nearPrompts!.match(question)
          : (this.#nearRows ?? this.#nearPrompts!).match(whole),
    });
  }
}

interface KnownRows {
  row(keyed: KeyedRow): number | undefined;
  prompt(keyed: KeyedRow): number | undefined;
  near(keyed: KeyedRow): number | null;
}

export class OverlapFinder {
  readonly #known: KnownRows;
  readonly #rows = new RepeatCounter();
  readonly #prompts = new RepeatCounter();
  readonly #near = new RepeatCounter();

  constructor(known: KnownRows) {
    this.#known = known;
  }

  add(view: RowView, row: number): void {
    const keyed = keyedRow(view);
    const same = this.#known.row(keyed);
    if (same !== undefined) {
      this.#rows.add(row, same);
      return;
    }
    const asked = this.#known.prompt(keyed);
    if (asked !== undefined) {
      this.#prompts.add(row, asked);
      return;
    }
    const near = this.#known.near(keyed);
    if (near !== null) this.#near.add(row, near);
  }

  facts(heldOut: PlaceOf, training: PlaceOf): OverlapFacts {
    return {
      rows: this.#rows.repeats(heldOut, training),
      prompts: this.#prompts.repeats(heldOut, training),
      near: { threshold: NEAR_THRESHOLD, ...this.#near.repeats(heldOut, training) },
    };
  }
}

function nearRepeats(near: NearDuplicates, place: PlaceOf): Repeats {
  near.finish();
  const counter = new RepeatCounter();
  for (const { item, earlier } of near.found) counter.add(item, earlier);
  return counter.repeats(place);
}

/** A row's keys and normalised texts. */
interface KeyedRow extends Pick<RowView, 'kind' | 'ranks'> {
  /** null without a prompt, or with an empty one. */
  prompt: number | null;
  question: string;
  answers: readonly number[];
  /** Question and answers. */
  whole: string;
}

function keyedRow({ kind, prompt, question, answers, ranks }: RowView): KeyedRow {
  const asked = normalised(question ?? '');
  const texts = answers.map(normalised);
  return {
    ...{ kind, ranks, question: asked },
    prompt: asked === '' ? null : textKey(prompt === question ? asked : normalised(prompt!)),
    answers: texts.map(textKey),
    whole: [asked, ...texts].join('\n'),
  };
}

const rowKey = ({ kind, prompt, answers, ranks }: Omit<KeyedRow, 'question' | 'whole'>): number =>
  textKey([kind, prompt, ...answers, ...(ranks ?? [])].join(' '));

/** The key of a row with the opposite verdict; null if the kind has no opposite. */
const oppositeKey = (keyed: KeyedRow): number | null => {
  if (keyed.kind === 'preference') return rowKey({ ...keyed, answers: keyed.answers.toReversed() });
  if (keyed.kind !== 'unpaired') return null;
  return rowKey({ ...keyed, ranks: keyed.ranks!.map((rank) => 3 - rank) });
};
