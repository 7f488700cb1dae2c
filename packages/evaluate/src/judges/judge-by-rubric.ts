// Gives a judge that is asked in words what to judge by, from a file of its own.
import { ConfigError } from '@keel/align/config';
import { readSpec, readYamlFile } from '@keel/align/internal';
import { askingShape, checkAsking, type JudgeKinds } from '@keel/align/judges';
import { z } from 'zod';

const schema = z.strictObject(askingShape).superRefine(checkAsking);

/**
 * The kinds of judges with the keys of a rubric in place of those of their specs.
 * @param file YAML or JSON with keys such as `criteria`, `scale`, `instructions` and `examples`
 * @throws ConfigError for an invalid file, naming file, line and column of every fault; opening a
 *   kind that is not asked in words throws one, too
 */
export function kindsByRubric(kinds: JudgeKinds, file: string): JudgeKinds {
  const yaml = readYamlFile(
    file,
    'a rubric, such as "criteria" with a name and a description each',
  );
  const all = readSpec(yaml, schema, { subject: 'the rubric' });
  const written = new Set(yaml.pairs.map((pair) => yaml.keyOf(pair)));
  if (written.size === 0) throw new ConfigError([`${file}: is empty; expected a rubric`]);
  const rubric = Object.fromEntries(Object.entries(all).filter(([key]) => written.has(key)));
  return Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [
      name,
      {
        ...kind,
        open(spec: never, folder, options) {
          if (!('criteria' in kind.schema.shape)) {
            throw new ConfigError([
              `--rubric: a judge of the kind ${name} is not asked in words. Remove it, or use a judge that is`,
            ]);
          }
          return kind.open({ ...(spec as object), ...rubric } as never, folder, options);
        },
      } satisfies JudgeKinds[string],
    ]),
  );
}
