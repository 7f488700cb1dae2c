// LLMBar (Zeng et al. 2024) publishes every judge's answers in both orders, and statistics of them.
// The same code as for any judge gives these statistics from these answers. KEEL_LLMBAR names the
// folder with its rows.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Judge } from '@keel/align/judges';
import { describe, expect, it } from 'vitest';
import { answerText, promptKey } from '../answers/answer-row.ts';
import { judgePairs } from '../asking/judge-pairs.ts';
import { functionJudge } from '../testing/function-judge.ts';
import { type CheckSummary, summariseCheck } from './check-summary.ts';
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

async function check(file: string, name: string): Promise<CheckSummary> {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as Recorded);
  const pairs = await readLabels([file], {});
  const verdicts = await judgePairs(recordedJudge(name, rows), pairs, {
    saved: new Map(),
    save() {},
  });
  return summariseCheck(verdicts!.map((row, index) => ({ ...row, votes: pairs[index]!.votes })));
}

describe.skipIf(!existsSync(join(folder, 'natural.jsonl')))('LLMBar', () => {
  for (const subset of subsets) {
    it.each(['GPT-4', 'ChatGPT'])(`${subset}: the statistics of %s`, async (name) => {
      const published = JSON.parse(readFileSync(join(folder, `${subset}-statistics.json`), 'utf8'))[
        name
      ] as Record<string, string | number>;
      const { pairs, byOrder, orders, ordersKappa } = await check(
        join(folder, `${subset}.jsonl`),
        name,
      );
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
      expect(ordersKappa!.value).toBeCloseTo(published.kappa_agreement as number, 12);
    });
  }
});
