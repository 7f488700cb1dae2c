// The `keel` command. bin/keel.mjs runs this file under Node 24.
import { watchOutput, withOutputEnd } from './output-end.ts';
import { runProgram } from './program.ts';

watchOutput();
process.exitCode = withOutputEnd(await runProgram(process.argv.slice(2)));
