import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { memory } from '../scope.ts';

/**
 * The result of `memory()` after a garbage collection. Tests that await something compare these,
 * because tensors that an earlier test left to the collector may be freed in between.
 */
export async function liveMemory(): Promise<ReturnType<typeof memory>> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Finalizers run in later turns of the event loop, and may free objects that release others in
  // turn.
  for (let quiet = 0; quiet < 3; ) {
    const before = memory().tensors;
    collect();
    await new Promise((resolve) => setImmediate(resolve));
    quiet = memory().tensors === before ? quiet + 1 : 0;
  }
  return memory();
}
