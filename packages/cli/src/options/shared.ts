import { detailsOf, option, templateShape, trainingShape, variant } from '@keel/align/config';
import { z } from 'zod';

const { chatTemplate, chatTemplateKwargs, templateDate } = templateShape('Model and data');
const { model, precision, basePrecision, device, threads, config, json, dryRun } = trainingShape;
const { onBadRow, data, columns, wrapChat } = trainingShape;

/** The model of verbs that do not train. */
export const modelShape = {
  model: option(z.string().min(1).nullable().default(null), {
    ...detailsOf(model),
    description: 'model to use: a folder, a run, a GGUF file or hub:owner/name[@revision]',
    shownDefault: `the base of --adapter, otherwise ${model.def.defaultValue}`,
  }),
  adapter: option(z.string().min(1).nullable().default(null), {
    description: "apply this adapter (a run, or a folder in PEFT's format) to the model",
    group: 'Model and data',
    reads: 'folder',
    common: true,
    shownDefault: 'no adapter',
  }),
  ...{ chatTemplate, chatTemplateKwargs, templateDate },
};

export const dataShape = {
  data: variant(data, {
    description: 'rows: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
  }),
  onBadRow: variant(onBadRow, {
    description: 'what to do with an invalid row: stop, or skip and count it',
  }),
  ...{ columns, wrapChat },
};

export const machineShape = { precision, device, threads };

/** Of verbs that compute with the base as it is. */
export const baseShape = { precision, basePrecision, device, threads };

export const callShape = { config, json };

export const dryRunShape = {
  dryRun: variant(dryRun, {
    description:
      'check model, data, reward and output, and show what would be done, without doing it',
  }),
};
