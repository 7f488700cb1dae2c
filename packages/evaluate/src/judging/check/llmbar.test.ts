// LLMBar (Zeng et al. 2024) publishes every judge's answers in both orders, and statistics of them.
// The same code as for any judge gives these statistics from these answers. KEEL_LLMBAR names the
// folder with its rows.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Judge } from '@keel/align/judges';
import { expect, it } from 'vitest';
import { answerText, promptKey } from '../answers/answer-row.ts';
import { judgePairs } from '../asking/judge-pairs.ts';
import { functionJudge } from '../testing/function-judge.ts';
import { orderWinner } from '../verdicts/verdict-row.ts';
import { type CheckSummary, type LabelledVerdict, summariseCheck } from './check-summary.ts';
import { readLabels } from './read-labels.ts';

const folder = process.env.KEEL_LLMBAR ?? '';
const subsets = ['natural', 'neighbor', 'gptinst', 'gptout', 'manual'];

interface Recorded {
  prompt: string;
  output_1: string;
  output_2: string;
  judges: Record<string, { results: [Record<string, { completion: [string, string] }>] }>;
}

/** The place of the better answer, from the whole of what a judge said. */
function placeIn(completion: string): 'first' | 'second' | null {
  const places = { 'Output (a)': 'first', 'Output (b)': 'second' } as const;
  return Object.hasOwn(places, completion) ? places[completion as keyof typeof places] : null;
}

/** Answers what was recorded of a judge. */
function recordedJudge(name: string, rows: readonly Recorded[]): Judge {
  const said = new Map(
    rows.flatMap(({ prompt, output_1, output_2, judges }) => {
      const [result] = judges[name]!.results;
      return (['False', 'True'] as const).map((swap) => {
        const [first, second] = swap === 'True' ? [output_2, output_1] : [output_1, output_2];
        const key = JSON.stringify([prompt.trim(), first, second]);
        return [key, result[`swap = ${swap}`]!.completion[0]] as const;
      });
    }),
  );
  return functionJudge(
    ({ prompt, answers }) => {
      const key = JSON.stringify([promptKey(prompt), ...answers.map(answerText)]);
      const completion = said.get(key)!;
      const place = placeIn(completion);
      return place === null ? { failed: `no label in "${completion}"` } : Number(place === 'first');
    },
    { name },
  );
}

/**
 * The published kappa of a judge with the labels: (po - pe) / (1 + l + w - pe), with the shares l
 * and w of the second answer among labels and winners. Cohen's kappa is (po - pe) / (1 - pe).
 */
function publishedKappa(rows: readonly LabelledVerdict[], first: 'a' | 'b'): number {
  const winners = rows.map(({ orders }) => orderWinner(orders.find((one) => one.first === first)!));
  const labels = rows.map(({ votes }) => votes[0]!);
  const share = (list: readonly unknown[]): number =>
    list.filter((one) => one === 'b').length / rows.length;
  const agreed = labels.filter((label, index) => label === winners[index]).length / rows.length;
  const [l, w] = [share(labels), share(winners)];
  const chance = l * w + (1 - l) * (1 - w);
  return (agreed - chance) / (1 + l + w - chance);
}

async function check(
  file: string,
  name: string,
): Promise<{ summary: CheckSummary; rows: LabelledVerdict[] }> {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as Recorded);
  const pairs = await readLabels([file], {});
  const verdicts = await judgePairs(recordedJudge(name, rows), pairs, {
    saved: new Map(),
    save() {},
  });
  const labelled = verdicts!.map((row, index) => ({ ...row, votes: pairs[index]!.votes }));
  return { summary: summariseCheck(labelled), rows: labelled };
}

async function expectPublished(subset: string, name: string): Promise<void> {
  const published = JSON.parse(readFileSync(join(folder, `${subset}-statistics.json`), 'utf8'))[
    name
  ] as Record<string, string | number>;
  const { summary, rows } = await check(join(folder, `${subset}.jsonl`), name);
  const { pairs, byOrder, orders, ordersKappa } = summary;
  // As Python prints them: `95 / 100 = 95.0%`.
  const shown = (share: number): string => {
    const count = Math.round(share * pairs);
    const percent = (count / pairs) * 100;
    return `${count} / ${pairs} = ${Number.isInteger(percent) ? percent.toFixed(1) : percent}%`;
  };
  expect(shown(byOrder!.firstOrder.value)).toBe(published.correct_False);
  expect(shown(byOrder!.swapped.value)).toBe(published.correct_True);
  expect(shown(byOrder!.both.value)).toBe(published.correct_both);
  expect(shown(orders.agree!.value)).toBe(published.equal);
  expect(100 * byOrder!.average).toBeCloseTo(
    Number.parseFloat(String(published.correct_average)),
    10,
  );
  const kappas = [publishedKappa(rows, 'a'), publishedKappa(rows, 'b')] as const;
  expect(kappas[0]).toBeCloseTo(published.kappa_False as number, 12);
  expect(kappas[1]).toBeCloseTo(published.kappa_True as number, 12);
  expect((kappas[0] + kappas[1]) / 2).toBeCloseTo(published.kappa_average as number, 12);
  expect(ordersKappa!.value).toBeCloseTo(published.kappa_agreement as number, 12);
}

it.skipIf(!existsSync(join(folder, 'natural.jsonl')))(
  'gives the published statistics of both judges on all pairs of LLMBar',
  async () => {
    for (const subset of subsets) {
      for (const name of ['GPT-4', 'ChatGPT']) await expectPublished(subset, name);
    }
  },
);
