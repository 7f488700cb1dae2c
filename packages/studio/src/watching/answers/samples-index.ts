// The samples of a run, filtered and sorted by their numbers. Texts are read when they are shown.
import { WatchError } from '../folders/watch-error.ts';
import type { Sample, SampleEntry, SampleSource } from './sample-source.ts';

/** What samples can be sorted by. */
export const sampleKeys = ['line', 'step', 'reward', 'gold', 'kl', 'tokens'] as const;
export type SampleKey = (typeof sampleKeys)[number];

/** Which samples, in which order. */
export interface SampleQuery {
  /** Text in the prompt or the answer, in upper or lower case. */
  text?: string;
  fromStep?: number;
  toStep?: number;
  minReward?: number;
  maxReward?: number;
  /** Only of held-out prompts, or only of the others. */
  heldOut?: boolean;
  sort?: SampleKey;
  descending?: boolean;
  /** Samples before the first of the page (default: 0). */
  offset?: number;
  /** Most samples of the page (default: 50). */
  limit?: number;
}

/** Samples of a query. */
export interface SamplePage {
  /** All samples of the run. */
  total: number;
  /** Those of the query. */
  matching: number;
  samples: Sample[];
}

/** Samples of a step, or of all steps, with the highest and the lowest rewards. */
export interface Extremes {
  /** null: all steps. */
  step: number | null;
  /** The nearest steps with rewards before and after it; null: none. */
  previous: number | null;
  next: number | null;
  /** Steps with rewards. */
  first: number;
  last: number;
  best: Sample[];
  worst: Sample[];
}

const MOST_PER_PAGE = 500;
/** Queries whose order is kept, for the next page. */
const MOST_QUERIES = 8;

/** The samples of a run. */
export class SamplesIndex {
  readonly #source: SampleSource;
  #version = 0;
  readonly #orders = new Map<string, SampleEntry[]>();

  constructor(source: SampleSource) {
    this.#source = source;
  }

  /** Damage of the files, a sentence each. */
  get faults(): readonly string[] {
    return this.#source.faults;
  }

  get count(): number {
    return this.#source.entries.length;
  }

  /** Reads what was added. */
  async update(): Promise<void> {
    await this.#source.update();
    if (this.#version === this.#source.version) return;
    this.#version = this.#source.version;
    this.#orders.clear();
  }

  /** @throws WatchError for a query that cannot be answered */
  async page(query: SampleQuery): Promise<SamplePage> {
    const { offset = 0, limit = 50 } = query;
    if (!isCount(offset) || !isCount(limit) || limit > MOST_PER_PAGE) {
      throw new WatchError(
        'invalid',
        `offset and limit are whole numbers from 0, and limit is at most ${MOST_PER_PAGE}`,
      );
    }
    const order = await this.#orderOf(query);
    const samples = await this.#source.read(order.slice(offset, offset + limit));
    return { total: this.#source.entries.length, matching: order.length, samples };
  }

  /**
   * A sample, and the first one of the same prompt.
   * @throws WatchError if there is no such line
   */
  async withStart(line: number): Promise<{ sample: Sample; start: Sample | null }> {
    const entry = this.#source.entries.find((one) => one.line === line);
    if (entry === undefined) {
      throw new WatchError('unknown', `samples.jsonl has no line ${line}. The run may be resumed`);
    }
    const same = this.#source.entries.filter(
      ({ row, heldOut }) => row === entry.row && heldOut === entry.heldOut,
    );
    const first = same.reduce((a, b) => (b.step < a.step ? b : a), entry);
    const [sample] = await this.#source.read([entry]);
    const [start] = first.step === entry.step ? [] : await this.#source.read([first]);
    return { sample: sample!, start: start ?? null };
  }

  /**
   * The samples with the highest and the lowest rewards.
   * @param at a step, or the nearest one before it that has rewards (without one: the first)
   * @returns null without rewards
   */
  async extremes(each: number, at: number | 'last' | 'all'): Promise<Extremes | null> {
    const judged = this.#source.entries.filter(({ reward }) => reward !== null);
    const steps = [...new Set(judged.map(({ step }) => step))].sort((a, b) => a - b);
    const [first, last] = [steps[0], steps.at(-1)];
    if (first === undefined || last === undefined) return null;
    const step =
      at === 'all' ? null : at === 'last' ? last : (steps.findLast((one) => one <= at) ?? first);
    const place = step === null ? -1 : steps.indexOf(step);
    const sorted = judged
      .filter((one) => step === null || one.step === step)
      .sort((a, b) => b.reward! - a.reward! || a.line - b.line);
    // If there are too few, each is shown once.
    const best = Math.min(each, Math.ceil(sorted.length / 2));
    const worst = Math.min(each, sorted.length - best);
    return {
      ...{ step, first, last },
      previous: step === null ? null : (steps[place - 1] ?? null),
      next: step === null ? null : (steps[place + 1] ?? null),
      best: await this.#source.read(sorted.slice(0, best)),
      worst: await this.#source.read(sorted.slice(sorted.length - worst).reverse()),
    };
  }

  async #orderOf({ offset: _, limit: __, ...query }: SampleQuery): Promise<SampleEntry[]> {
    const key = JSON.stringify(query);
    const known = this.#orders.get(key);
    if (known !== undefined) return known;
    const version = this.#version;
    const order = this.#sorted(await this.#matching(query), query);
    if (version !== this.#version) return order;
    this.#orders.set(key, order);
    if (this.#orders.size > MOST_QUERIES) this.#orders.delete(this.#orders.keys().next().value!);
    return order;
  }

  async #matching(query: SampleQuery): Promise<SampleEntry[]> {
    const { fromStep, toStep, minReward, maxReward, heldOut } = query;
    const found = this.#source.entries.filter(
      (one) =>
        (fromStep === undefined || one.step >= fromStep) &&
        (toStep === undefined || one.step <= toStep) &&
        (minReward === undefined || (one.reward !== null && one.reward >= minReward)) &&
        (maxReward === undefined || (one.reward !== null && one.reward <= maxReward)) &&
        (heldOut === undefined || one.heldOut === heldOut),
    );
    const text = query.text?.trim().toLowerCase() ?? '';
    if (text === '') return found;
    const lines = new Set(
      (await this.#source.read(found))
        .filter((one) => `${promptText(one)}\n${one.completion}`.toLowerCase().includes(text))
        .map(({ line }) => line),
    );
    return found.filter(({ line }) => lines.has(line));
  }

  /** Samples without the number come last, whichever the direction. */
  #sorted(
    entries: SampleEntry[],
    { sort = 'line', descending = false }: SampleQuery,
  ): SampleEntry[] {
    const sign = descending ? -1 : 1;
    return entries.sort((a, b) => {
      const [left, right] = [a[sort], b[sort]];
      if (left === right) return a.line - b.line;
      if (left === null) return 1;
      return right === null ? -1 : sign * (left - right);
    });
  }
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** The messages of a chat, one after the other. */
const promptText = ({ prompt }: Sample): string =>
  typeof prompt === 'string'
    ? prompt
    : prompt.map(({ content }) => (typeof content === 'string' ? content : '')).join('\n');
