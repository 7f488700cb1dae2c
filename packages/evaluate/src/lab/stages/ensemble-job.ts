// A stage that writes the spec of an ensemble, so that a policy can be trained against it.
import { join, relative } from 'node:path';
import type { JobVerb } from '@keel/align';
import { defineOptions, option } from '@keel/align/config';
import { writeFileAtomic } from '@keel/align/internal';
import { rewardFiles } from '@keel/align/rewards';
import { makeFolder } from '@keel/model';
import { stringify } from 'yaml';
import { z } from 'zod';
import { files } from './lab.ts';

const group = 'Ensemble and normalisation';

const ensembleDefinition = defineOptions(
  'overoptimise',
  z.strictObject({
    output: option(z.string().min(1), { description: 'folder of the spec', group }),
    members: option(z.array(z.string().min(1)).min(1), {
      description: 'reward models',
      group,
      reads: 'folder',
    }),
    rule: option(z.string(), { description: 'how they are combined', group }),
    weight: option(z.number(), { description: 'weight of their disagreement', group }),
  }),
  { complete: (options) => options },
);

type EnsembleOptions = ReturnType<typeof ensembleDefinition.complete>;

export const ensembleJob: JobVerb = {
  name: 'overoptimise',
  definition: ensembleDefinition as unknown as JobVerb['definition'],
  takes: { members: 'reward model' },
  defaults: [],
  results: [files.ensemble],
  rows: [files.ensemble],
  describe(given) {
    const { members, rule } = given as unknown as EnsembleOptions;
    return `${rule} of ${members.length} proxies`;
  },
  async run() {
    return async (given) => {
      const { output, members, rule, weight } = given as unknown as EnsembleOptions;
      makeFolder(output);
      // Their content is part of the file: a policy is trained again if a member changes.
      const hashes = (await Promise.all(members.map(rewardFiles))).map(
        ([first]) => `# ${first!.name} ${first!.sha256}\n`,
      );
      const spec = {
        type: 'model',
        path: members.map((one) => relative(output, one)),
        ensemble: rule,
        ...(weighs(rule) && { ensemble_k: weight }),
      };
      writeFileAtomic(join(output, files.ensemble), `${hashes.join('')}${stringify(spec)}`);
      return { interrupted: false, headlines: [], verdict: null };
    };
  },
};

/** Whether a rule has a weight of the disagreement. */
export const weighs = (rule: string): boolean =>
  rule === 'lower_bound' || rule === 'uncertainty_weighted';
