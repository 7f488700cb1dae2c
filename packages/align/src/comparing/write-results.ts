// The files of a comparison: results.json, table.md, plot.svg, report.html.
import { join } from 'node:path';
import { writeFileAtomic } from '../files/atomic-write.ts';
import { scatterPlot } from '../runs/report/scatter-plot.ts';
import type { Comparison } from './comparison.ts';
import { findings } from './comparison-findings.ts';
import { plotOf, writeComparisonReport } from './comparison-report.ts';
import type { ComparisonResults } from './comparison-results.ts';
import { markdownTable } from './comparison-table.ts';
import type { ComparisonResultsFile } from './results-file.ts';
import { type SuiteNumbers, suiteNumbersOf } from './suite-numbers.ts';
import { itemsOf, numbersOf } from './summarise.ts';

/** Writes all files for the results so far. */
export async function writeResults(
  comparison: Comparison,
  results: ComparisonResults,
): Promise<void> {
  const { files } = results;
  writeFileAtomic(files.results, `${JSON.stringify(resultsJson(comparison, results), null, 2)}\n`);
  const sentences = findings(results).map((sentence) => `${sentence}\n`);
  writeFileAtomic(files.table, [markdownTable(results), ...sentences].join('\n'));
  writeFileAtomic(files.plot, scatterPlot(plotOf(results)).text);
  writeComparisonReport(comparison, results);
}

function resultsJson(
  { output, options, steps, stages }: Comparison,
  results: ComparisonResults,
): ComparisonResultsFile {
  const { groups, reference, referenceNumbers, referenceSuites } = results;
  const { metric, leads, sameBudget } = results;
  const { batchSize, evalPrompts, maxNewTokens, evalSeed, reward, model } = options;
  const ended = groups.flatMap(({ entries }) => entries);
  return {
    version: 1,
    ...{ model, data: options.data, eval_data: options.evalData, reward },
    ...{ steps, batch_size: batchSize, same_budget: sameBudget },
    eval: {
      pairs: reference.pairs.rows.length,
      prompts: reference.answers.length,
      ...{ asked_prompts: evalPrompts, max_new_tokens: maxNewTokens, seed: evalSeed },
    },
    ordered_by: metric,
    reference: { ...referenceNumbers, ...suitesJson(referenceSuites) },
    groups: groups.map(({ name, entries, numbers, suites }) => ({
      ...{ name, seeds: entries.map(({ entry }) => entry.seed), ...numbers },
      ...suitesJson(suites),
    })),
    leads,
    entries: ended.map(({ entry, measured, tokens, seconds }) => ({
      ...{ name: entry.name, group: entry.group, verb: entry.verb, loss: entry.objective.loss },
      ...{ beta: entry.beta, seed: entry.seed, learning_rate: entry.options.learningRate },
      ...{ steps, num_tokens: tokens, seconds, run: join(output, entry.name) },
      ...numbersOf([itemsOf(measured, reference)]),
      ...suitesJson(suiteNumbersOf([measured])),
    })),
    missing: stages.flatMap(({ name }) =>
      ended.some(({ entry }) => entry.name === name) ? [] : [name],
    ),
  };
}

/** Under `suites`; absent without --eval-suites. */
const suitesJson = (suites: SuiteNumbers): Pick<ComparisonResultsFile['reference'], 'suites'> =>
  Object.keys(suites).length === 0 ? {} : { suites };
