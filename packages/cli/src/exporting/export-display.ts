import { join } from 'node:path';
import type { ExportEvent, ExportResult } from '@keel/align';
import { formatBytes } from '@keel/align/internal';
import { WritingBar } from '../merging/writing-bar.ts';
import { shellWord } from '../shell-word.ts';
import { complain, say, sayJson } from '../terminal.ts';

/** Shows an export as it runs. */
export interface ExportDisplay {
  event(event: ExportEvent): void;
  ended(result: ExportResult): void;
  close(): void;
}

/** Only the result is printed on stdout. */
export const jsonExport = (): ExportDisplay => ({
  event(event) {
    if (event.type === 'notice') complain(event.text);
  },
  ended({ checks, modelfile, ...result }) {
    const { texts, kl, sameTop, score, greedy } = checks;
    sayJson({
      ...{ type: 'final', ...result, modelfile: modelfile !== null },
      ...{ same_texts: texts.same, texts: texts.of },
      ...(kl === null
        ? { score_difference: score }
        : { kl, same_top: sameTop!.count, of: sameTop!.of }),
      ...(greedy === null ? {} : { same_greedy: greedy.same, greedy: greedy.of }),
    });
  },
  close() {},
});

/** Lines, and on a terminal a bar while the weights are written. */
export class HumanExport implements ExportDisplay {
  readonly #bar = new WritingBar();

  event(event: ExportEvent): void {
    if (event.type === 'recording') say('Recording what it computes, for the checks');
    else this.#bar.show(event, 'Reading what was written, to check it');
  }

  ended({ checks, file, bytes, dtype, output, to, modelfile, tensors }: ExportResult): void {
    for (const line of checkLines(checks, dtype)) say(line);
    const mixed = tensors === null ? '' : ` (${typesOf(tensors)})`;
    say(`Wrote ${file}: ${formatBytes(bytes)} of weights in ${dtype}${mixed}.`);
    if (modelfile !== null) say(`Wrote ${join(output, 'Modelfile')}`);
    say(`Try it:  ${command(to, file, output)}`);
  }

  close(): void {
    this.#bar.stop();
  }
}

const typesOf = (tensors: Record<string, number>): string =>
  Object.entries(tensors)
    .map(([type, count]) => `${count} ${type}`)
    .join(', ');

function checkLines(checks: ExportResult['checks'], dtype: string): string[] {
  const { texts, kl, sameTop, score, greedy } = checks;
  const lines = [`Checked: the same token ids for ${texts.same} of ${texts.of} texts.`];
  if (kl !== null) {
    lines.push(
      `Checked: on a probe text, its KL divergence from the model is ${kl.toExponential(1)} nats per token, with the same most likely token in ${sameTop!.count} of ${sameTop!.of} positions.`,
    );
  } else {
    lines.push(`Checked: on a probe text, scores differ by at most ${score!.toExponential(1)}.`);
  }
  if (greedy !== null) lines.push(greedyLine(greedy, dtype));
  return lines;
}

function greedyLine(
  { same, of, margin }: NonNullable<ExportResult['checks']['greedy']>,
  dtype: string,
): string {
  if (same === of) return `Checked: the same ${of} greedy tokens.`;
  return `Checked: the same first ${same} of ${of} greedy tokens. There, the two most likely tokens were ${margin!.toFixed(3)} logits apart, which rounding to ${dtype} can turn around.`;
}

function command(to: ExportResult['to'], file: string, output: string): string {
  switch (to) {
    case 'gguf':
      return `llama-server --model ${shellWord(file)}   or   ollama create my-model --file ${shellWord(join(output, 'Modelfile'))}`;
    case 'adapter-gguf':
      return `llama-server --model base.gguf --lora ${shellWord(file)}`;
    case 'peft':
      return `npx keel chat --adapter ${shellWord(output)}`;
    default:
      return `npx keel chat --model ${shellWord(output)}`;
  }
}
