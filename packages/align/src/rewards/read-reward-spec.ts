import { ConfigError } from '../config/config-error.ts';
import { readSpec } from '../config/spec-file.ts';
import { parseYamlFile, readYamlFile, type YamlFile } from '../config/yaml-file.ts';
import { type CompositionSpec, compositionSchema } from './reward-spec.ts';

const REWARD = 'a reward, such as "type: regex" and its "pattern"';

/**
 * Reads the spec of a reward, YAML or JSON: a mapping with `rewards`, or a single reward.
 * @throws ConfigError naming file, line and column of every fault, with a suggestion for an unknown
 *   key
 */
export const readRewardSpec = (file: string): CompositionSpec =>
  compositionOf(readYamlFile(file, REWARD), file);

/** `readRewardSpec` for text that is already read; `file` is only used in errors. */
export const parseRewardSpec = (text: string, file: string): CompositionSpec =>
  compositionOf(parseYamlFile(text, file, REWARD), file);

function compositionOf(yaml: YamlFile, file: string): CompositionSpec {
  if (yaml.pairs.length === 0) throw new ConfigError([`${file}: is empty; expected ${REWARD}`]);
  if (!yaml.document.has('type')) {
    return readSpec(yaml, compositionSchema, { subject: 'the reward' });
  }
  return readSpec(yaml, compositionSchema, {
    subject: 'the reward',
    // A single reward is a composition of one.
    prepare: (written) => ({
      kind: 'map',
      entries: [['rewards', { kind: 'list', items: [written] }]],
    }),
    inFile: (path) => path.slice(2),
  });
}
