import { z } from 'zod';
import { option, templateShape, trainingShape } from '../torch-free/align-config.ts';

const { chatTemplate, chatTemplateKwargs, templateDate } = templateShape('Model');
const { model, precision, device, threads, config, json, onBadRow, data } = trainingShape;

/** Which model is used, for verbs that do not train. */
export const modelShape = {
  model: option(model, {
    description: 'a folder, a GGUF file, hub:owner/name, or the default model',
    group: 'Model',
    value: 'model',
  }),
  adapter: option(z.string().min(1).nullable().default(null), {
    description: "lay this adapter (a folder in PEFT's format) over the model",
    group: 'Model',
    value: 'folder',
  }),
  ...{ chatTemplate, chatTemplateKwargs, templateDate },
};

export const dataShape = {
  data: option(data, {
    description: 'rows: JSONL, JSON, Parquet or CSV files, globs, or hub:owner/name',
    group: 'Data',
    value: 'path',
    commas: false,
  }),
  onBadRow: option(onBadRow, {
    description: 'a row that is not valid is an error, or is skipped and counted',
    group: 'Data',
    value: 'what',
  }),
};

export const machineShape = { precision, device, threads };

export const callShape = { config, json };
