import { readSpec, type SpecForm, specOf } from '../config/read-spec.ts';
import { parseYamlFile } from '../config/yaml-file.ts';
import { type CompositionSpec, compositionSchema } from './reward-spec.ts';

const form: SpecForm<typeof compositionSchema> = {
  schema: compositionSchema,
  what: 'a reward, such as "type: regex" and its "pattern"',
  whole: 'the reward',
  single: 'rewards',
};

/**
 * Reads the spec of a reward, YAML or JSON: a mapping with `rewards`, or a single reward.
 * @throws ConfigError naming file, line and column of every fault, with a suggestion for an unknown
 *   key
 */
export const readRewardSpec = (file: string): CompositionSpec => readSpec(file, form).value;

/** `readRewardSpec` for text that is already read; `file` is only used in errors. */
export const parseRewardSpec = (text: string, file: string): CompositionSpec =>
  specOf(parseYamlFile(text, file, form.what), file, form).value;
