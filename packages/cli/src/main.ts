// The `keel` command. bin/keel.mjs runs this file under Node 24.
import { runProgram } from './program.ts';

// A reader that leaves early (`keel tokens … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runProgram(process.argv.slice(2));
