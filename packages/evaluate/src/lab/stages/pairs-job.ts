// A stage that writes the pairs which proxies are trained on: gold's labels of sampled answers,
// some of them flipped.
import { join } from 'node:path';
import type { JobResult, JobVerb } from '@keel/align';
import { defineOptions, option } from '@keel/align/config';
import { asRead, contentText, openRows, type RowOf, renderingColumns } from '@keel/align/data';
import { exactJson, fillFileAtomic, writeFully } from '@keel/align/internal';
import { makeFolder } from '@keel/model';
import { z } from 'zod';
import { type DrawnPair, drawPairs } from './draw-pairs.ts';
import { files } from './lab.ts';

const group = 'Labels';

export const pairsDefinition = defineOptions(
  'overoptimise',
  z.strictObject({
    output: option(z.string().min(1), { description: 'folder of the pairs', group }),
    data: option(z.array(z.string().min(1)).min(1), {
      description: 'rows with several answers, scored by gold',
      group,
      reads: 'rows',
    }),
    groups: option(z.array(z.string().min(1)).min(1), { description: 'names of the files', group }),
    pairs: option(z.array(z.number().int().min(1)).min(1), { description: 'of each file', group }),
    noise: option(z.array(z.number()).min(1), {
      description: 'share of flipped labels of each file',
      group,
    }),
    seed: option(z.number().int().min(0), { description: 'seed for drawing pairs', group }),
  }),
  { complete: (options) => options },
);

export type PairsOptions = ReturnType<typeof pairsDefinition.complete>;

/** @param groups of proxies: each gets a file */
export const pairsJob = (groups: readonly string[]): JobVerb => ({
  name: 'overoptimise',
  definition: pairsDefinition as unknown as JobVerb['definition'],
  takes: {},
  defaults: [],
  results: groups.map(files.pairs),
  rows: groups.map(files.pairs),
  describe(given) {
    const { pairs, noise } = given as unknown as PairsOptions;
    const flipped = noise.some((one) => one > 0)
      ? `, up to ${100 * Math.max(...noise)}% of the labels flipped`
      : '';
    return `up to ${Math.max(...pairs)} pairs of answers, labelled by gold${flipped}`;
  },
  async run() {
    return (given) => writePairs(given as unknown as PairsOptions);
  },
});

async function writePairs(options: PairsOptions): Promise<JobResult> {
  const { output, data, groups, pairs, noise, seed } = options;
  const rows = await labelledRows(data);
  const drawn = drawPairs(
    rows.map(({ completions, scores }) => ({
      scores: scores!,
      texts: completions.map(contentText),
    })),
    seed,
  );
  const most = Math.max(...pairs);
  if (drawn.length < most) {
    throw new Error(
      `gold tells only ${drawn.length} pairs of answers apart, and proxies need ${most}. Raise answers: under labels:, or use fewer pairs: under proxies:`,
    );
  }
  makeFolder(output);
  for (const [at, group] of groups.entries()) {
    fillFileAtomic(join(output, files.pairs(group)), (descriptor) => {
      for (const pair of drawn.slice(0, pairs[at]))
        writeFully(descriptor, `${exactJson(pairRow(rows[pair.prompt]!, pair, noise[at]!))}\n`);
    });
  }
  const one = { before: null, better: null, unit: 'count' } as const;
  return {
    interrupted: false,
    verdict: null,
    headlines: [
      {
        ...{ ...one, label: 'pairs', after: { value: most } },
        note: `of ${drawn.length} that gold tells apart`,
      },
    ],
  };
}

async function labelledRows(data: readonly string[]): Promise<RowOf['ranking'][]> {
  await using source = await openRows(data, { kind: 'ranking' });
  return await source.readMany(Array.from({ length: source.length }, (_, at) => at));
}

function pairRow(
  { prompt, completions, rendering }: RowOf['ranking'],
  { chosen, rejected, draw }: DrawnPair,
  noise: number,
): object {
  const flipped = draw < noise;
  const [better, worse] = flipped ? [rejected, chosen] : [chosen, rejected];
  return {
    ...{ prompt: asRead(prompt), ...renderingColumns(rendering) },
    ...{ chosen: asRead(completions[better]!), rejected: asRead(completions[worse]!), flipped },
  };
}
