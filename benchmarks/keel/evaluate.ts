// Measures `keel evaluate` on one lm-eval task: the time from the first question to the last, and
// peak memory. Prints one JSON line, like benchmarks/lm-eval/evaluate.py.
import { parseArgs } from 'node:util';
import { entriesOf, planEvaluation, runEvaluation } from '@keel/evaluate';
import type { Precision } from '@keel/model';
import { setThreads } from '@keel/torch';

const { values } = parseArgs({
  options: {
    task: { type: 'string' },
    model: { type: 'string' },
    output: { type: 'string' },
    precision: { type: 'string' },
    threads: { type: 'string' },
    limit: { type: 'string' },
  },
}) as { values: Record<string, string | undefined> };

setThreads(Number(values.threads));
const options = {
  ...{ entries: entriesOf([values.model!], []), suites: [], tasks: [values.task!], gates: null },
  limit: values.limit === undefined ? null : Number(values.limit),
  ...{ output: values.output!, precision: values.precision as Precision, device: 'cpu' },
  unsafeCode: false,
};
const plan = await planEvaluation(options);
let started = 0;
let ended = 0;
await runEvaluation(options, plan, {
  onProgress() {
    ended = performance.now();
    // The first report comes when the model is loaded and nothing is asked yet.
    started ||= ended;
  },
});
process.stdout.write(
  `${JSON.stringify({
    seconds: (ended - started) / 1000,
    questions: plan.tasks[0]!.items.length,
    peak_rss_bytes: 1024 * process.resourceUsage().maxRSS,
  })}\n`,
);
