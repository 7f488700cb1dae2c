// A run's samples.jsonl, of any size: where each row is. Texts are read when they are shown.
import { closeSync, openSync } from 'node:fs';
import type { SampleLine } from '@keel/align/runs';
import { isPlainObject } from '@keel/model/exact-json';
import { appendedLines, bytesAt } from '../numbers/appended-lines.ts';
import { finiteOrNull, type Sample, type SampleEntry, type SampleSource } from './sample-source.ts';

interface PlacedEntry extends SampleEntry {
  start: number;
  end: number;
}

/** The samples of samples.jsonl. */
export class SampleLines implements SampleSource {
  readonly #path: string;
  entries: PlacedEntry[] = [];
  version = 0;
  #damaged: string[] = [];
  #failed: string | null = null;
  #cursor: string | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  get faults(): readonly string[] {
    const failed = this.#failed === null ? [] : [`samples.jsonl: cannot be read: ${this.#failed}`];
    return [...failed, ...this.#damaged];
  }

  async update(): Promise<void> {
    for (let more = true; more; ) {
      const read = appendedLines(this.#path, this.#cursor);
      if (read.restarted) {
        this.entries = [];
        this.#damaged = [];
      }
      if (read.restarted || read.lines.length > 0) this.version += 1;
      for (const { text, line, start, end } of read.lines) {
        const sample = parsedSample(text);
        if (sample === null) {
          this.#damaged.push(`samples.jsonl:${line}: is not a sampled answer; it is skipped`);
        } else this.entries.push({ line, start, end, ...numbersOf(sample) });
      }
      this.#cursor = read.cursor;
      this.#failed = read.failed;
      more = read.more && read.lines.length > 0;
    }
  }

  async read(entries: readonly PlacedEntry[]): Promise<Sample[]> {
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

const numbersOf = (line: SampleLine): Omit<SampleEntry, 'line'> => ({
  ...{ step: line.step, row: line.row, heldOut: line.held_out === true },
  ...{ reward: finiteOrNull(line.reward), gold: finiteOrNull(line.gold) },
  ...{ kl: finiteOrNull(line.kl), tokens: finiteOrNull(line.tokens) },
});
