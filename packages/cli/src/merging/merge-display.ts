import type { AverageResult, MergeEvent, MergeResult } from '@keel/align';
import { formatBytes } from '@keel/align/internal';
import { shellWord } from '../shell-word.ts';
import { complain, say, sayJson } from '../terminal.ts';
import { WritingBar } from './writing-bar.ts';

/** Shows a merge as it runs. */
export interface MergeDisplay {
  event(event: MergeEvent): void;
  ended(result: MergeResult): void;
  averaged(result: AverageResult): void;
  close(): void;
}

/** Only the result is printed on stdout. */
export const jsonMerge = (): MergeDisplay => ({
  event(event) {
    if (event.type === 'notice') complain(event.text);
  },
  ended({ output, dtype, bytes, kind, difference: { kl, sameTop, score } }) {
    sayJson({
      ...{ type: 'final', output, dtype, bytes, kind },
      ...(kl === null
        ? { score_difference: score }
        : { kl, same_top: sameTop!.count, of: sameTop!.of }),
    });
  },
  averaged({ output, members, kind }) {
    sayJson({ type: 'final', output, members, kind });
  },
  close() {},
});

/** Lines, and on a terminal a bar while the weights are written. */
export class HumanMerge implements MergeDisplay {
  readonly #bar = new WritingBar();

  event(event: MergeEvent): void {
    this.#bar.show(event, 'Loading the written model to check it');
  }

  ended({ output, dtype, bytes, kind, difference }: MergeResult): void {
    const { kl, sameTop, score } = difference;
    say(
      kl === null
        ? `Checked: on a probe text, its scores differ from those of base and adapter by at most ${score!.toExponential(1)}.`
        : `Checked: on a probe text, its KL divergence from base and adapter is ${kl.toExponential(1)} nats per token, with the same most likely token in ${sameTop!.count} of ${sameTop!.of} positions.`,
    );
    say(`Wrote ${output}: ${formatBytes(bytes)} of weights in ${dtype}.`);
    const use = kind === 'reward model' ? 'score --data answers.jsonl --reward' : 'chat --model';
    say(`Try it:  npx keel ${use} ${shellWord(output)}`);
  }

  averaged({ output, members, kind }: AverageResult): void {
    say(`Wrote ${output}: the mean of ${members} adapters.`);
    const use = kind === 'reward model' ? 'score --data answers.jsonl --reward' : 'chat --adapter';
    say(`Try it:  npx keel ${use} ${shellWord(output)}`);
  }

  close(): void {
    this.#bar.stop();
  }
}
