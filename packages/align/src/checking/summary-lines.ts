// A few lines about the rows of a run, for people.
import type { ExaminedFacts } from './examine-rows.ts';
import { probabilitiesText } from './label-probabilities.ts';
import type { OwnKind } from './row-view.ts';
import type { RunDataFacts, UsedRows } from './run-data-facts.ts';
import { counted, percent } from './warnings.ts';

/** The names of one row and of several rows of a kind. */
const kindNames: Record<OwnKind, readonly [one: string, several: string]> = {
  text: ['text', 'texts'],
  messages: ['chat', 'chats'],
  completion: ['prompt with an answer', 'prompts with an answer'],
  preference: ['pair', 'pairs'],
  ranking: ['ranking', 'rankings'],
  samples: ['prompt with answers', 'prompts with answers'],
  unpaired: ['labelled answer', 'labelled answers'],
  process: ['answer with labelled steps', 'answers with labelled steps'],
  prompt: ['prompt', 'prompts'],
};

/** `800 pairs`, or `800 rows: 500 chats, 300 texts`. */
export function kindsText({ count, kinds }: Pick<ExaminedFacts, 'count' | 'kinds'>): string {
  const parts = kinds.map((own) => `${own.count} ${kindNames[own.kind][own.count === 1 ? 0 : 1]}`);
  return parts.length === 1 ? parts[0]! : `${counted(count, 'row')}: ${parts.join(', ')}`;
}

/** `all chats`, `all plain text` or how many are of each form. */
export function formText({ chats, plain }: Pick<ExaminedFacts, 'chats' | 'plain'>): string {
  if (plain === 0) return 'all chats';
  return chats === 0 ? 'all plain text' : `${chats} chats and ${plain} plain texts`;
}

/** The lines shown before a run's first step, without the warnings. */
export function summaryLines({
  training,
  heldOut,
  duplicates,
  pairs,
  use,
}: RunDataFacts): string[] {
  const held = heldOut === null ? [] : [counted(heldOut.total, 'held-out row')];
  const lines = [
    `Data: ${[`${kindsText(training)}, ${formText(training)}`, ...held].join('; ')}${left(use)}`,
  ];
  if (training.count < training.total) {
    lines.push(`  only the first ${training.count} of ${training.total} rows were examined`);
  }
  if (training.probabilities !== undefined) {
    lines.push(`  ${probabilitiesText(training.probabilities, training.count)}`);
  }
  const { rows, prompts } = duplicates;
  const repeats = [
    rows.count > 0 && counted(rows.count, 'whole row'),
    prompts.count > 0 && counted(prompts.count, 'prompt'),
  ].filter((part) => part !== false);
  lines.push(
    repeats.length === 0
      ? '  no row repeats an earlier one'
      : `  duplicates of earlier rows: ${repeats.join(' and ')}`,
  );
  if (pairs !== null) {
    const { longerWins, chosenLonger, count, unit } = pairs;
    const [low, high] = longerWins.interval.map(percent);
    lines.push(
      `  the chosen answer is longer in ${percent(chosenLonger / count)} of pairs (in ${unit}); ` +
        `"the longer one wins" is right in ${percent(longerWins.value)} (95% interval: ${low} to ${high})`,
    );
  }
  return lines;
}

function left({ training: { cut, tooLong, bad } }: { training: UsedRows }): string {
  const parts = [
    cut > 0 && `${cut} cut`,
    tooLong > 0 && `${tooLong} skipped as too long`,
    bad > 0 && `${bad} skipped as bad`,
  ].filter((part) => part !== false);
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`;
}
