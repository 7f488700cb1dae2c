import type { GgufFileType } from '@keel/model';
import type { MergeEvent } from '../merging/merge-model.ts';
import type { ExportChecks } from './evidence.ts';

/**
 * safetensors: a folder for transformers; gguf: a file for llama.cpp and ollama; adapter-gguf: the
 * adapter alone, for llama.cpp; peft: the adapter alone, with its base.
 */
export type ExportForm = 'safetensors' | 'gguf' | 'adapter-gguf' | 'peft';

/** What is exported, and how. */
export interface ExportOptions {
  /** The base: a folder, a GGUF file, hub:owner/name or the default model. */
  model: string;
  /** The adapter's folder, or its run's; null: the base alone. */
  adapter: string | null;
  to: ExportForm;
  /** auto: the base's own for safetensors, f16 for gguf, f32 for an adapter. */
  type: GgufFileType | 'auto';
  /** A folder. */
  output: string;
  /** Replaces an export in `output`. */
  overwrite?: boolean;
}

/** What an export reports while it runs. */
export type ExportEvent = MergeEvent | { type: 'recording' };

/** What was written, and what its checks found. */
export interface ExportResult {
  output: string;
  to: ExportForm;
  /** Type of the written weights. */
  dtype: string;
  /** The weights' file or, in several files, their folder. */
  file: string;
  /** Bytes of the weights. */
  bytes: number;
  kind: 'language model' | 'reward model';
  /** Number of tensors by their type, in a GGUF file. */
  tensors: Record<string, number> | null;
  checks: ExportChecks;
  /** Whether a Modelfile was written, and whether it has a TEMPLATE. */
  modelfile: { template: boolean } | null;
}
