// The results of a closed world.
import { basename, join } from 'node:path';
import { readYamlFile } from '@keel/align/internal';
import { analyseLab } from '../curves/analyse.ts';
import { readWorld } from '../world/read-world.ts';
import { worldCurves } from '../world/world-curves.ts';
import { writeLabFiles } from './lab-files.ts';
import type { LabResults } from './write-lab.ts';

/**
 * @param output replaces the file's own
 * @throws ConfigError naming file, line and column of every fault
 */
export function writeWorldResults(path: string, output: string | null): LabResults {
  const world = readWorld(path);
  const usual = join('runs', basename(path).replace(/\.[^.]+$/, ''));
  const analysis = analyseLab(worldCurves(world));
  const notes = ['All answers are known, so that KL and rewards are exact.'];
  const files = writeLabFiles(output ?? world.output ?? usual, analysis, {
    ...{ title: `${path}: keel overoptimise`, gold: 'a reward that is known', notes },
    facts: [
      { label: 'Prompts', value: String(world.world.length) },
      { label: 'Best of n', value: world.best_of_n.join(', ') },
      { label: 'RL', value: `optimum of the reward minus beta KL, beta ${world.betas.join(', ')}` },
      { label: 'Unit of gold', value: `${analysis.goldUnit.toPrecision(3)} of its own` },
    ],
    config: readYamlFile(path, 'a closed world').text,
  });
  return { analysis, files, notes };
}
