// Trains a model on the preferences in a database, and uses the result only if it passes a gate:
// answers a question with it, and serves it with --serve <port>.
import { parseArgs } from 'node:util';
import { alignPairs, chat, type NoticeEvent, openModel, type TrainingEvent } from '@keel/align';
import { passesGate } from './gate.ts';
import { addPairs, openDatabase, pairs } from './preferences.ts';
import { serve } from './serving.ts';

const { values } = parseArgs({
  options: {
    database: { type: 'string', default: 'preferences.db' },
    add: { type: 'string' },
    'add-held-out': { type: 'string' },
    model: { type: 'string', default: 'SmolLM2-135M-Instruct' },
    steps: { type: 'string', default: '34' },
    output: { type: 'string', default: 'runs/app' },
    serve: { type: 'string' },
  },
});
const { model, output } = values;
const database = openDatabase(values.database);
if (values.add) addPairs(database, values.add, false);
if (values['add-held-out']) addPairs(database, values['add-held-out'], true);

function onEvent(event: TrainingEvent | NoticeEvent): void {
  if (event.type === 'notice') console.warn(event.text);
  if (event.type !== 'step') return;
  const { step, totalSteps, metrics } = event;
  const { loss, 'rewards/accuracies': accuracy } = metrics;
  console.log(`step ${step} of ${totalSteps}: loss ${loss?.toFixed(4)}, accuracy ${accuracy}`);
}

// Ctrl-C finishes the step and saves a checkpoint; later, it ends the server.
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
const run = await alignPairs(
  {
    ...{ model, output, data: pairs(database, 'train'), evalData: pairs(database, 'held-out') },
    // DPO alone may make the preferred answers less likely too; their likelihood prevents that.
    ...{ loss: ['sigmoid', 'chosen_nll'], lossWeights: [1, 0.5] },
    ...{ lora: true, learningRate: 5e-4, maxSteps: Number(values.steps) },
  },
  { onEvent, signal: stop.signal },
);
if (run.interrupted) process.exit(130);

if (await passesGate(model, run.final, pairs(database, 'held-out'), `${output}/gate`)) {
  {
    using trained = await openModel(model, { adapter: run.final });
    console.log(await chat(trained, 'How long do I boil an egg?', { temperature: 0 }));
  }
  if (values.serve !== undefined) {
    await serve(model, run.final, { port: Number(values.serve), signal: stop.signal });
  }
} else process.exitCode = 3;
