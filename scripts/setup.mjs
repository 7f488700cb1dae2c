// Installs everything that Keel needs on this machine. Plain JavaScript, so that Node 20 can run it
// without any packages.
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  checkTools,
  handleInterruptions,
  provideEngine,
  SetUpError,
  step,
  withLock,
} from '../packages/torch/src/setup/index.mjs';
import { provideDefaultModel } from './default-model.mjs';
import { installPackages } from './packages.mjs';
import { pinnedNode, state } from './places.mjs';

/**
 * Prepares the machine for Keel: checks the tools and installs the packages, LibTorch, the compiled
 * addon and the default model. Skips finished steps. Exits if a step fails.
 *
 * @param {{ needModel?: boolean }} [options]
 */
export async function setUp({ needModel = true } = {}) {
  const removeHandlers = handleInterruptions();
  const since = performance.now();
  console.log('Setting up Keel');
  try {
    await step('Tools', () => checkTools());
    const waiting = (pid) =>
      console.log(`  Process ${pid} is setting up this folder: waiting for it.`);
    await withLock(join(state, 'lock'), waiting, () => installAll(needModel));
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    console.error(`\n${error.message}`);
    process.exit(1);
  }
  removeHandlers();
  console.log(`Ready after ${((performance.now() - since) / 1000).toFixed(1)} s\n`);
}

async function installAll(needModel) {
  await step('Packages', installPackages);
  await provideEngine({ logs: state, node: pinnedNode });
  if (needModel) await step('Default model', provideDefaultModel);
}

const script = process.argv[1];
if (script && existsSync(script) && realpathSync(script) === fileURLToPath(import.meta.url)) {
  await setUp();
}
