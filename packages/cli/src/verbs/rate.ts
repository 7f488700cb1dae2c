import {
  checkRatingFiles,
  rateBattles,
  readBattles,
  writeRatingFiles,
} from '@keel/evaluate/rating';
import type { RateOptions } from '../options/rate.ts';
import { RatingBar, showRatings } from '../rating/rating-display.ts';
import { shellWord } from '../shell-word.ts';
import { complain } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';

export async function run(options: RateOptions): Promise<number> {
  const { output, overwrite, anchor } = options;
  if (output !== null) checkRatingFiles(output, overwrite);
  using bar = new RatingBar();
  const read = await readStopping(options, bar);
  if (typeof read === 'number') return read;
  if (anchor !== null && !read.table.names.includes(anchor.name)) {
    throw new Error(
      `--anchor ${anchor.name}: this model is in no battle. The models are ${read.table.names.join(', ')}`,
    );
  }
  const results = rateBattles(read, options, {
    onSample: (done, total) => bar.show('samples', done / total),
  });
  bar.stop();
  const input = { read, options, results };
  const command = ['npx', 'keel', ...process.argv.slice(2)].map(shellWord).join(' ');
  const files = output === null ? null : writeRatingFiles(output, input, command);
  showRatings(input, files, options);
  return 0;
}

/** Reads until it is done or a signal stops it. @returns the exit code if it was stopped */
async function readStopping(options: RateOptions, bar: RatingBar) {
  using stopping = new StopSignals((name) => complain(`${name}: stopped. Nothing was written`));
  try {
    return await readBattles(options, {
      signal: stopping.signal,
      onProgress: (share) => bar.show('rows', share),
    });
  } catch (error) {
    bar.stop();
    if (stopping.signal.aborted && error === stopping.signal.reason) return stopping.exitCode;
    throw error;
  }
}
