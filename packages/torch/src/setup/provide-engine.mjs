// Gives the machine LibTorch and the compiled addon: `npm run setup` in a clone, `keel setup` of
// installed packages. Plain JavaScript: in a clone, Node 20 runs it before anything is installed.
import { compileAddon } from './compile-addon.mjs';
import { provideLibtorch } from './provide-libtorch.mjs';
import { step } from './steps.mjs';

/**
 * @typedef {object} Places
 * @property {string} logs folder for the output of the programs that the steps run
 * @property {string} node the Node that must be able to load the addon
 */

/**
 * Runs the two steps, and skips what is already there.
 *
 * @param {Places} places
 * @throws {import('./steps.mjs').SetUpError} if a step fails
 */
export async function provideEngine(places) {
  let libtorch;
  const notes = [];
  await step('LibTorch', async (doing) => {
    const provided = await provideLibtorch(places, doing, (text) => notes.push(text));
    libtorch = provided.libtorch;
    return provided.line;
  });
  for (const text of notes) console.log(`    ${text}`);
  await step('Addon', (doing) => compileAddon(libtorch, places, doing));
}
