// Describes rows: kinds, chats or plain text, turns, labels, and unread fields.
import type { Message } from '../data/messages.ts';
import type { Row } from '../data/rows.ts';
import { Counts, type Distribution } from './distribution.ts';
import { type LabelProbabilities, ProbabilityCounts } from './label-probabilities.ts';
import type { LengthUnit } from './pair-lengths.ts';
import { isSystem, type OwnKind, type RowView } from './row-view.ts';

export interface RowFacts {
  /** Number of rows. */
  count: number;
  kinds: { kind: OwnKind; count: number }[];
  chats: number;
  plain: number;
  /** Messages of a chat, its answer included; null without chats. */
  turns: Distribution | null;
  /** Chats with a system message, and how many different ones there are. */
  system: { rows: number; texts: number };
  /** Chats with descriptions of tools, or with tool calls. */
  tools: number;
  emptyPrompts: number;
  /** Answers, and turns of the model, of white space alone. */
  blankAnswers: number;
  /** Pairs whose rejected answer has the higher score. */
  oppositeScores: number;
  /** Of single answers and of the steps of answers; null without labels. */
  labels: { good: number; bad: number } | null;
  /** Of uncertain labels; absent if no row has one. */
  probabilities?: LabelProbabilities;
  /** Fields that training does not read, the most frequent first. */
  unreadFields: { field: string; rows: number }[];
  lengths: Lengths;
}

export interface Lengths {
  unit: LengthUnit;
  prompts: Distribution | null;
  answers: Distribution | null;
  /** Prompt and longest answer. */
  rows: Distribution | null;
}

/** Fields that the chat template reads. */
const templateFields = new Set(['tools', 'chat_template_kwargs']);
/** Most names and texts to count separately. */
const MOST_NAMES = 1000;

/** Lengths of prompts, answers and rows. */
export class LengthCounts {
  readonly #prompts = new Counts();
  readonly #answers = new Counts();
  readonly #rows = new Counts();

  /** @param prompt null for a row without one */
  add(prompt: number | null, answers: readonly number[]): void {
    if (prompt !== null) this.#prompts.add(prompt);
    for (const answer of answers) this.#answers.add(answer);
    this.#rows.add((prompt ?? 0) + Math.max(0, ...answers));
  }

  lengths(unit: LengthUnit): Lengths {
    return {
      unit,
      prompts: this.#prompts.distribution(),
      answers: this.#answers.distribution(),
      rows: this.#rows.distribution(),
    };
  }
}

const hasOppositeScores = (row: Row): boolean =>
  'score_chosen' in row &&
  row.score_chosen !== undefined &&
  row.score_rejected !== undefined &&
  row.score_chosen < row.score_rejected;

export class RowCounter {
  readonly #kinds = new Map<OwnKind, number>();
  readonly #turns = new Counts();
  readonly #systemTexts = new Set<string>();
  readonly #fields = new Map<string, number>();
  readonly #lengths = new LengthCounts();
  readonly #labels = { good: 0, bad: 0 };
  readonly #probabilities = new ProbabilityCounts();
  readonly #sums = {
    ...{ count: 0, chats: 0, plain: 0, systemRows: 0, tools: 0 },
    ...{ emptyPrompts: 0, blankAnswers: 0, oppositeScores: 0 },
  };

  add(row: Row, view: RowView): void {
    const sums = this.#sums;
    sums.count++;
    this.#kinds.set(view.kind, (this.#kinds.get(view.kind) ?? 0) + 1);
    if (view.messages === null) sums.plain++;
    else this.#addChat(row, view.messages);
    if (view.prompt !== null && view.prompt.trim() === '') sums.emptyPrompts++;
    sums.blankAnswers += view.blank;
    if (hasOppositeScores(row)) sums.oppositeScores++;
    if (view.kind === 'unpaired') this.#addLabels([(row as { label: boolean }).label]);
    if (view.kind === 'process') this.#addLabels((row as { labels: boolean[] }).labels);
    this.#probabilities.add(row);
    for (const field of Object.keys(row.extra)) this.#addField(field);
    this.#lengths.add(
      view.prompt?.length ?? null,
      view.answers.map(({ length }) => length),
    );
  }

  #addChat(row: Row, messages: readonly Message[]): void {
    const sums = this.#sums;
    sums.chats++;
    this.#turns.add(messages.length);
    const system = messages.find(isSystem);
    if (system !== undefined) {
      sums.systemRows++;
      if (this.#systemTexts.size < MOST_NAMES) this.#systemTexts.add(system.content ?? '');
    }
    const offered = (row.rendering?.tools ?? null) !== null;
    if (offered || messages.some((message) => message.tool_calls !== undefined)) sums.tools++;
  }

  #addLabels(labels: readonly boolean[]): void {
    for (const label of labels) this.#labels[label ? 'good' : 'bad']++;
  }

  #addField(field: string): void {
    if (templateFields.has(field)) return;
    const count = this.#fields.get(field);
    if (count !== undefined || this.#fields.size < MOST_NAMES) {
      this.#fields.set(field, (count ?? 0) + 1);
    }
  }

  facts(): RowFacts {
    const { count, chats, plain, systemRows, tools, ...answers } = this.#sums;
    const { emptyPrompts, blankAnswers, oppositeScores } = answers;
    const { good, bad } = this.#labels;
    const probabilities = this.#probabilities.facts();
    const kinds = [...this.#kinds].map(([kind, own]) => ({ kind, count: own }));
    const fields = [...this.#fields].map(([field, rows]) => ({ field, rows }));
    return {
      ...{ count, chats, plain, tools, emptyPrompts, blankAnswers, oppositeScores },
      kinds: kinds.toSorted((a, b) => b.count - a.count),
      turns: this.#turns.distribution(),
      system: { rows: systemRows, texts: this.#systemTexts.size },
      labels: good + bad === 0 ? null : this.#labels,
      ...(probabilities && { probabilities }),
      unreadFields: fields.toSorted((a, b) => b.rows - a.rows),
      lengths: this.#lengths.lengths('characters'),
    };
  }
}
