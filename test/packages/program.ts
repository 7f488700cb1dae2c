// Run in a project that has the packages installed: node program.js [<model>]. Prints whether the
// imports loaded LibTorch, then an answer of the model, or the error.
import { readFileSync } from 'node:fs';
import { chat, openModel } from '@keel/align';
import { planEvaluation } from '@keel/evaluate';
import { DEFAULT_MODEL_NAME } from '@keel/model';
import { wilsonInterval } from '@keel/statistics';
import { AddonError, onesLike, ops, tensor } from '@keel/torch';

const maps = process.platform === 'linux' ? readFileSync('/proc/self/maps', 'utf8') : '';
const names = { DEFAULT_MODEL_NAME, planEvaluation, wilsonInterval, onesLike, ops };
const [model] = process.argv.slice(2);
const said: Record<string, unknown> = {
  names: Object.keys(names),
  loaded: maps.includes('libtorch_cpu'),
};
try {
  using ones = tensor([1, 2]);
  said.shape = ones.shape;
  if (model !== undefined) {
    using opened = await openModel(model);
    said.answer = await chat(opened, 'hello', { maxNewTokens: 4, temperature: 0 });
  }
} catch (error) {
  said.error = { known: error instanceof AddonError, text: String(error) };
}
console.log(JSON.stringify(said));
