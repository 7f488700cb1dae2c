// From what a lab's stages wrote to its results.
import { analyseLab, type LabAnalysis } from '../curves/analyse.ts';
import { readCurves } from '../curves/read-curves.ts';
import type { Lab } from '../stages/lab.ts';
import { type LabFiles, writeLabFiles } from './lab-files.ts';

export interface LabResults {
  analysis: LabAnalysis;
  files: LabFiles;
  /** What to know about the numbers. */
  notes: readonly string[];
}

/** @throws Error as {@link readCurves} */
export function writeLabResults(lab: Lab): LabResults {
  const { notes, ...curves } = readCurves(lab);
  const analysis = analyseLab(curves);
  const { options, proxies, ensembles, method } = lab;
  const files = writeLabFiles(lab.output, analysis, {
    ...{ title: `${lab.path}: keel overoptimise`, gold: lab.gold, notes },
    facts: [
      { label: 'Initial policy', value: options.model },
      { label: 'Gold', value: lab.gold },
      { label: 'Proxies', value: proxies.map(({ name }) => name).join(', ') },
      ...(ensembles.length === 0
        ? []
        : [{ label: 'Ensembles', value: ensembles.map(({ name }) => name).join(', ') }]),
      ...(method === null ? [] : [{ label: 'RL', value: `keel ${method}` }]),
      { label: 'Unit of gold', value: `${analysis.goldUnit.toPrecision(3)} of its own` },
    ],
    config: lab.recipe.text,
  });
  return { analysis, files, notes };
}
