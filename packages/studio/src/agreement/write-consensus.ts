// `keel data agreement --consensus`: the consensus of each task, with its texts.
import { dirname } from 'node:path';
import { ConfigError } from '@keel/align/config';
import { refuseExisting } from '@keel/align/converting';
import { writeFileAtomic } from '@keel/align/internal';
import { makeFolder } from '@keel/model';
import type { PreferenceStore } from '../store/preference-store.ts';
import type { Consensus, ConsensusUnit } from './consensus.ts';

/** @throws ConfigError for a name that is not one of JSON Lines, or an existing file */
export function checkConsensus(output: string, overwrite: boolean): void {
  if (!output.toLowerCase().endsWith('.jsonl')) {
    throw new ConfigError([
      `--consensus: expected a name that ends in .jsonl, found "${output}". Rows are written as JSON Lines`,
    ]);
  }
  refuseExisting([output], overwrite);
}

/**
 * Writes a row for each unit: prompt, completions in the order of the verdict, choice and
 * probabilities.
 * @returns the number of rows
 */
export async function writeConsensus(
  store: PreferenceStore,
  project: string,
  { units }: Consensus,
  output: string,
): Promise<number> {
  const byTask = Map.groupBy(units, ({ task }: ConsensusUnit) => task);
  const lines: string[] = [];
  for await (const { id, prompt, answers } of store.tasks(project)) {
    for (const { kind, answers: places, ...unit } of byTask.get(id) ?? []) {
      const compared = places === null ? answers : places.map((at) => answers[at]!);
      const completions = compared.map(({ content }) => content);
      lines.push(JSON.stringify({ prompt, completions, kind, ...unit }));
    }
  }
  makeFolder(dirname(output));
  writeFileAtomic(output, `${lines.join('\n')}\n`);
  return lines.length;
}
