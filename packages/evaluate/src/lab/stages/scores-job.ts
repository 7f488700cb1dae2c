// A stage that scores sampled answers with a proxy. Finished prompts are saved, so that a killed
// stage resumes.
import { join } from 'node:path';
import type { JobHooks, JobResult, JobVerb } from '@keel/align';
import { defineOptions, option, trainingShape } from '@keel/align/config';
import { openRows, placeName, type RowSource, renderingColumns } from '@keel/align/data';
import { fillFileAtomic, Journal, writeFully } from '@keel/align/internal';
import { openReward, type Reward, rewardFiles } from '@keel/align/rewards';
import { makeFolder } from '@keel/model';
import { z } from 'zod';
import { scoreWithReward } from '../../hacking/scores/score-with-reward.ts';
import { files } from './lab.ts';

const group = 'Reward';
const { model, precision, device, threads } = trainingShape;

const scoresDefinition = defineOptions(
  'overoptimise',
  z.strictObject({
    output: option(z.string().min(1), { description: 'folder of the scores', group }),
    model,
    data: option(z.array(z.string().min(1)).min(1), {
      description: 'rows with several answers',
      group,
      reads: 'rows',
    }),
    reward: option(z.string().min(1), { description: 'what scores them', group, reads: 'reward' }),
    ...{ precision, device, threads },
  }),
  { complete: (options) => options },
);

type ScoresOptions = ReturnType<typeof scoresDefinition.complete>;

/** The scores of a prompt's answers, in order; a line of the file. */
export interface ScoredPrompt {
  /** Its place in the held-out rows. */
  row: number;
  scores: number[];
}

/** Prompts that are scored and saved together. */
const CHUNK = 8;

export const scoresJob: JobVerb = {
  name: 'overoptimise',
  definition: scoresDefinition as unknown as JobVerb['definition'],
  takes: { reward: 'reward model' },
  defaults: [],
  results: [files.scores],
  rows: [files.scores],
  describe: () => 'scores of the sampled answers, by this proxy',
  async run() {
    return (given, hooks) => score(given as unknown as ScoresOptions & { resume: boolean }, hooks);
  },
};

async function score(
  options: ScoresOptions & { resume: boolean },
  { signal, onProgress }: JobHooks,
): Promise<JobResult> {
  const { output, data, reward: named, model: tokenizer, precision, device, resume } = options;
  await using rows = await openRows(data, { kind: 'ranking' });
  const path = join(output, files.scores);
  makeFolder(output);
  const identity = {
    'the answers': await rows.fingerprint(),
    'the proxy': JSON.stringify(await rewardFiles(named)),
  };
  const journal = Journal.open<ScoredPrompt>(path, identity, {
    ...{ chunk: CHUNK, prompts: rows.length, overwrite: !resume },
    parse: (text) => JSON.parse(text) as ScoredPrompt,
  });
  await using reward = await openReward(named, {
    ...{ tokenizer, precision, device: device as 'auto' | 'cpu' },
  });
  while (journal.length < rows.length) {
    onProgress?.('prompts', journal.length, rows.length);
    const count = Math.min(CHUNK, rows.length - journal.length);
    journal.append(await scored(rows, reward, journal.length, count));
    if (signal?.aborted && journal.length < rows.length)
      return { interrupted: true, headlines: [], verdict: null };
  }
  onProgress?.('prompts', rows.length, rows.length);
  let [answers, sum] = [0, 0];
  fillFileAtomic(path, (descriptor) => {
    for (const line of journal.read()) {
      answers += line.scores.length;
      for (const one of line.scores) sum += one;
      writeFully(descriptor, `${JSON.stringify(line)}\n`);
    }
  });
  journal.remove();
  return {
    interrupted: false,
    verdict: null,
    headlines: [
      {
        ...{ label: 'mean score', unit: 'number', before: null, better: null },
        ...{ after: { value: sum / answers }, note: `${answers} answers` },
      },
    ],
  };
}

async function scored(
  source: RowSource<'ranking'>,
  reward: Reward,
  from: number,
  count: number,
): Promise<ScoredPrompt[]> {
  const places = Array.from({ length: count }, (_, at) => from + at);
  const rows = await source.readMany(places);
  const inputs = rows.flatMap(({ prompt, completions, extra, rendering }, at) =>
    completions.map((completion) => ({
      ...{ prompt, completion, extra, place: placeName(source.place(places[at]!)) },
      ...(rendering && { rendering, ...renderingColumns(rendering) }),
    })),
  );
  const { scores, fault } = await scoreWithReward(reward, inputs);
  const missing = scores.indexOf(null);
  if (missing >= 0) {
    throw new Error(fault ?? `${inputs[missing]!.place}: the proxy has no score for an answer`);
  }
  let next = 0;
  return rows.map(({ completions, extra }) => ({
    row: extra.row as number,
    scores: completions.map(() => scores[next++]!),
  }));
}
