// Aligns a model to a reward function of this program, then asks it a question.
//   npx node examples/library.ts [<model> [<steps>]]
import { chat, openModel, trainGrpo } from '@keel/align';

const [model, steps = '20'] = process.argv.slice(2);
const questions = ['What is rain?', 'Why do cats purr?', 'Who wrote Hamlet?', 'What is a verb?'];
const data = questions.map((content) => ({ prompt: [{ role: 'user', content }] }));
const reward = ({ text }: { text: string }) => -Math.abs(text.length - 100) / 100;
const options = { model, data, reward, output: 'runs/short', batchSize: 4, maxNewTokens: 64 };
const { final } = await trainGrpo(
  { ...options, learningRate: 1e-4, maxSteps: Number(steps) },
  { onEvent: (event) => event.type === 'step' && console.log(event.step, event.metrics.reward) },
);
using aligned = await openModel(model, { adapter: final });
console.log(await chat(aligned, 'What is snow?', { temperature: 0, maxNewTokens: 64 }));
