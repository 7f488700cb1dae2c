// The `keel` command. bin/keel.mjs runs this file under Node 24.
import { reportFailure } from './failure.ts';
import { watchOutput, withOutputEnd } from './output-end.ts';
import { runProgram } from './program.ts';

// An error that nobody awaits is a bug in Keel, and is still reported in plain words. Training runs
// handle it themselves, to save their state first.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    if (process.listenerCount(event) > 1) return;
    process.exit(reportFailure(error, process.argv[2]));
  });
}

watchOutput();
process.exitCode = withOutputEnd(await runProgram(process.argv.slice(2)));
