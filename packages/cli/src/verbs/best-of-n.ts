import { runBestOfN } from '@keel/align';
import { bestOfNDisplay } from '../best-of-n/best-of-n-display.ts';
import { samplingOptions } from '../generating/sampling.ts';
import type { BestOfNVerbOptions } from '../options/best-of-n.ts';
import { StopSignals } from '../training/stop-signals.ts';

export async function run(options: BestOfNVerbOptions): Promise<number> {
  const display = bestOfNDisplay(options);
  using stopping = new StopSignals((name) => display.say(`${name}: saving the scored answers`));
  try {
    const result = await runBestOfN(
      { ...options, sampling: samplingOptions(options) },
      {
        onProgress: (progress) => display.progress(progress),
        onWait: (seconds) => display.waiting(seconds),
        onNotice: (text) => display.say(text),
        signal: stopping.signal,
      },
    );
    display.close();
    display.ended(result);
    return result.interrupted ? stopping.exitCode : 0;
  } finally {
    display.close();
  }
}
