// Prepares the machine for installed packages. `npm run setup` does the same in a clone, and
// installs Node and the packages before it.
import { join } from 'node:path';
import { cacheFolder, ensureDefaultModel } from '@keel/model/without-torch';
import { checkTools, handleInterruptions, provideEngine, step } from '@keel/torch/setup';
import { exitCodes } from '../failure.ts';
import type { SetupOptions } from '../options/setup.ts';
import { say } from '../terminal.ts';

export async function run({ defaultModel }: SetupOptions): Promise<number> {
  const removeHandlers = handleInterruptions();
  const since = performance.now();
  say('Setting up Keel');
  await step('Tools', () => checkTools());
  await provideEngine({ logs: join(cacheFolder(), 'setup'), node: process.execPath });
  if (defaultModel) {
    await step('Default model', async (doing) => `in ${await ensureDefaultModel({ log: doing })}`);
  }
  removeHandlers();
  say(`Ready after ${((performance.now() - since) / 1000).toFixed(1)} s`);
  return exitCodes.done;
}
