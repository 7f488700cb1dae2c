// A run's samples.jsonl, of any size, while the run writes it: where each row is, and the numbers
// that it is filtered and sorted by. Texts are read when they are shown.
import { closeSync, openSync } from 'node:fs';
import type { SampleLine } from '@keel/align/runs';
import { isPlainObject } from '@keel/model/exact-json';
import { WatchError } from '../folders/watch-error.ts';
import { appendedLines, bytesAt } from '../numbers/appended-lines.ts';

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

/** A sample with its place. */
export interface Sample extends SampleLine {
  /** Of samples.jsonl, from 1. */
  line: number;
}

/** Samples of a query. */
export interface SamplePage {
  /** All samples of the run. */
  total: number;
  /** Those of the query. */
  matching: number;
  samples: Sample[];
}

interface Entry {
  line: number;
  start: number;
  end: number;
  step: number;
  row: number;
  heldOut: boolean;
  reward: number | null;
  gold: number | null;
  kl: number | null;
  tokens: number;
}

const MOST_PER_PAGE = 500;
/** Queries whose order is kept, for the next page. */
const MOST_QUERIES = 8;

/** The samples of a run. */
export class SamplesIndex {
  readonly #path: string;
  #entries: Entry[] = [];
  #cursor: string | null = null;
  #faults: string[] = [];
  readonly #orders = new Map<string, Entry[]>();

  constructor(path: string) {
    this.#path = path;
  }

  /** Damaged lines, a sentence each. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** Reads what was added. */
  update(): void {
    for (let more = true; more; ) {
      const read = appendedLines(this.#path, this.#cursor);
      if (read.restarted) {
        this.#entries = [];
        this.#faults = [];
      }
      if (read.restarted || read.lines.length > 0) this.#orders.clear();
      for (const { text, line, start, end } of read.lines) {
        const sample = parsedSample(text);
        if (sample === null) {
          this.#faults.push(`samples.jsonl:${line}: is not a sampled answer; it is skipped`);
        } else this.#entries.push({ line, start, end, ...numbersOf(sample) });
      }
      this.#cursor = read.cursor;
      more = read.more && read.lines.length > 0;
    }
  }

  /** @throws WatchError for a query that cannot be answered */
  page(query: SampleQuery): SamplePage {
    const { offset = 0, limit = 50 } = query;
    if (!isCount(offset) || !isCount(limit) || limit > MOST_PER_PAGE) {
      throw new WatchError(
        'invalid',
        `offset and limit are whole numbers from 0, and limit is at most ${MOST_PER_PAGE}`,
      );
    }
    const order = this.#orderOf(query);
    const samples = this.#read(order.slice(offset, offset + limit));
    return { total: this.#entries.length, matching: order.length, samples };
  }

  /**
   * A sample, and the first one of the same prompt.
   * @throws WatchError if there is no such line
   */
  withStart(line: number): { sample: Sample; start: Sample | null } {
    const entry = this.#entries.find((one) => one.line === line);
    if (entry === undefined) {
      throw new WatchError('unknown', `samples.jsonl has no line ${line}. The run may be resumed`);
    }
    const same = this.#entries.filter(
      ({ row, heldOut }) => row === entry.row && heldOut === entry.heldOut,
    );
    const first = same.reduce((a, b) => (b.step < a.step ? b : a), entry);
    const [sample] = this.#read([entry]);
    const [start] = first.step === entry.step ? [] : this.#read([first]);
    return { sample: sample!, start: start ?? null };
  }

  /**
   * The samples of one step with the highest and the lowest rewards.
   * @param step null: the last one
   */
  extremes(
    each: number,
    step: number | null,
  ): { step: number; best: Sample[]; worst: Sample[] } | null {
    const judged = this.#entries.filter(({ reward }) => reward !== null);
    const at =
      step ?? judged.reduce<number | null>((last, one) => Math.max(last ?? 0, one.step), null);
    if (at === null) return null;
    const sorted = judged
      .filter((one) => one.step === at)
      .sort((a, b) => b.reward! - a.reward! || a.line - b.line);
    // If there are too few, each is shown once.
    const best = Math.min(each, Math.ceil(sorted.length / 2));
    const worst = Math.min(each, sorted.length - best);
    return {
      step: at,
      best: this.#read(sorted.slice(0, best)),
      worst: this.#read(sorted.slice(sorted.length - worst)).reverse(),
    };
  }

  #orderOf({ offset: _, limit: __, ...query }: SampleQuery): Entry[] {
    const key = JSON.stringify(query);
    const known = this.#orders.get(key);
    if (known !== undefined) return known;
    const order = this.#sorted(this.#matching(query), query);
    this.#orders.set(key, order);
    if (this.#orders.size > MOST_QUERIES) this.#orders.delete(this.#orders.keys().next().value!);
    return order;
  }

  #matching(query: SampleQuery): Entry[] {
    const { fromStep, toStep, minReward, maxReward, heldOut } = query;
    const found = this.#entries.filter(
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
      this.#read(found)
        .filter((one) => `${promptText(one)}\n${one.completion}`.toLowerCase().includes(text))
        .map(({ line }) => line),
    );
    return found.filter(({ line }) => lines.has(line));
  }

  /** Samples without the number come last, whichever the direction. */
  #sorted(entries: Entry[], { sort = 'line', descending = false }: SampleQuery): Entry[] {
    const sign = descending ? -1 : 1;
    return entries.sort((a, b) => {
      const [left, right] = [a[sort], b[sort]];
      if (left === right) return a.line - b.line;
      if (left === null) return 1;
      return right === null ? -1 : sign * (left - right);
    });
  }

  #read(entries: readonly Entry[]): Sample[] {
    if (entries.length === 0) return [];
    const descriptor = openSync(this.#path, 'r');
    try {
      return entries.flatMap(({ line, start, end }) => {
        const text = bytesAt(descriptor, start, end - start).toString('utf8');
        const sample = parsedSample(text);
        // The run was resumed since the file was read; the next update reads it again.
        return sample === null ? [] : [{ ...sample, line }];
      });
    } finally {
      closeSync(descriptor);
    }
  }
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** The messages of a chat, one after the other. */
const promptText = ({ prompt }: SampleLine): string =>
  typeof prompt === 'string'
    ? prompt
    : prompt.map(({ content }) => (typeof content === 'string' ? content : '')).join('\n');

function parsedSample(text: string): SampleLine | null {
  try {
    const found: unknown = JSON.parse(text);
    if (!isPlainObject(found)) return null;
    const { prompt, completion, step } = found;
    const isPrompt = typeof prompt === 'string' || Array.isArray(prompt);
    const whole = isPrompt && typeof completion === 'string' && typeof step === 'number';
    return whole ? (found as unknown as SampleLine) : null;
  } catch {
    return null;
  }
}

const numbersOf = (line: SampleLine): Omit<Entry, 'line' | 'start' | 'end'> => ({
  ...{ step: line.step, row: line.row, heldOut: line.held_out === true },
  ...{ reward: finite(line.reward), gold: finite(line.gold), kl: finite(line.kl) },
  tokens: line.tokens,
});

const finite = (value: number | null | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
