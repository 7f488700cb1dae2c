import { askedBy, defineOptions, option, variant } from '@keel/align/config';
import { z } from 'zod';
import { callShape, dataShape, dryRunShape, machineShape } from './shared.ts';

const group = 'Pairs';

const schema = z.strictObject({
  data: variant(dataShape.data, {
    description:
      'several answers to each prompt: rows with "completions", or with one "completion" each, as keel generate --samples writes them. JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
  }),
  onBadRow: dataShape.onBadRow,
  columns: dataShape.columns,
  wrapChat: dataShape.wrapChat,
  reward: option(z.array(z.string().min(1)).min(1), {
    description:
      'reward model that the labels are for: its run or folder; several adapters of one base, or a model with several heads, are an ensemble',
    group: 'Reward',
    reads: 'folder',
    value: 'folder',
    common: true,
  }),
  count: option(z.number().int().min(1).default(50), {
    description: 'pairs to ask for',
    group,
    value: 'pairs',
    common: true,
  }),
  by: option(z.enum(askedBy).nullable().default(null), {
    description:
      "choose pairs by the ensemble's disagreement on the gap of their rewards, by the information that a verdict gives about which member is right, or by the uncertainty of the verdict",
    group,
    common: true,
    shownDefault: 'disagreement for an ensemble, otherwise uncertainty',
  }),
  randomShare: option(z.number().min(0).max(1).default(0.3), {
    description:
      'share of them that is drawn at random from all pairs: only these say how good the reward model is on all',
    group,
    value: 'share',
    common: true,
  }),
  perPrompt: option(z.number().int().min(1).default(1), {
    description: 'maximum pairs of one prompt',
    group,
    value: 'pairs',
  }),
  labelled: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
    description: 'pairs that have a label already, and are not asked for again',
    group,
    reads: 'rows',
    value: 'files',
    shownDefault: 'none',
  }),
  seed: option(z.number().int().min(0).default(42), {
    description: 'seed for the random share and the order of pairs and answers',
    group,
  }),
  output: option(z.string().min(1), {
    description: 'JSON Lines file for the pairs',
    group: 'Output',
    value: 'file',
  }),
  overwrite: option(z.boolean().default(false), {
    description: 'replace the file of an earlier command',
    group: 'Command line only',
    flagOnly: true,
  }),
  ...machineShape,
  ...callShape,
  ...dryRunShape,
});

export const definition = defineOptions('ask', schema, { complete: (options) => options });

export type AskVerbOptions = ReturnType<typeof definition.complete>;

export const example =
  'npx keel ask --data answers.jsonl --reward runs/reward-1 runs/reward-2 --count 50 --output ask.jsonl';
