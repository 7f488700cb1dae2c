import type { GenerateOptions } from '@keel/model';

/** The sampling options of the command line. */
export interface SamplingFlags {
  maxNewTokens: number;
  minNewTokens: number;
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  repetitionPenalty: number;
  stop: string[] | null;
  seed: number;
}

/** The same, as options of `generate`. */
export const samplingOptions = (flags: SamplingFlags) =>
  ({
    maxNewTokens: flags.maxNewTokens,
    minNewTokens: flags.minNewTokens,
    temperature: flags.temperature,
    topK: flags.topK,
    topP: flags.topP,
    minP: flags.minP,
    repetitionPenalty: flags.repetitionPenalty,
    stopStrings: flags.stop ?? [],
    seed: flags.seed,
  }) satisfies GenerateOptions;
