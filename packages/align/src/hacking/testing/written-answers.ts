// Answers of made-up words, whose rewards are known functions of quality and style.
import { resamplingRandom } from '@keel/statistics';

const syllables = 'ba de fi go lu mar nes pol rin sto tav wen'.split(' ');

/** Draws words and numbers; the same seed gives the same. */
export class Writer {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = resamplingRandom(seed);
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.#random();
  }

  whole(low: number, high: number): number {
    return Math.floor(this.uniform(low, high + 1));
  }

  /** Nearly normal. */
  normal(deviation = 1): number {
    let sum = -6;
    for (let draw = 0; draw < 12; draw++) sum += this.#random();
    return deviation * sum;
  }

  sentence(): string {
    const words = Array.from({ length: this.whole(5, 12) }, () =>
      Array.from(
        { length: this.whole(2, 3) },
        () => syllables[this.whole(0, syllables.length - 1)],
      ).join(''),
    );
    return `${words.join(' ')}.`;
  }

  sentences(low: number, high: number): string {
    return Array.from({ length: this.whole(low, high) }, () => this.sentence()).join(' ');
  }
}
