// What attacks on the sandbox meet, as a table: node benchmarks/sandbox-attacks.ts [bubblewrap|namespaces]
import { isolations, NoIsolationError, runAttacks, Sandbox } from '@keel/align';

const [wanted] = process.argv.slice(2);
const ways = isolations().filter(({ name }) => wanted === undefined || name === wanted);
if (ways.length === 0) {
  throw new Error(
    `no way of isolation is called ${wanted}: ${isolations().map(({ name }) => name)}`,
  );
}

let failed = 0;
for (const isolation of ways) {
  const sandbox = await Sandbox.open({ isolation });
  const user = process.getuid?.() === 0 ? 'root (programs run as a user of their own)' : 'a user';
  console.log(`\n### ${isolation.name}, started by ${user}\n`);
  console.log('| attack | reward | what it met | left outside | s |\n|---|---|---|---|---|');
  for await (const { name, reward, met, traces, seconds } of runAttacks(sandbox)) {
    if (reward > 0 || traces.length > 0) failed += 1;
    const words = met.replace(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 160);
    console.log(
      `| ${name} | ${reward} | ${words} | ${traces.join('; ') || 'nothing'} | ${seconds.toFixed(1)} |`,
    );
  }
}
console.log(`\n${failed} attacks got through`);
try {
  const { isolation } = await Sandbox.open();
  console.log(`Taken here: ${isolation}`);
} catch (error) {
  if (!(error instanceof NoIsolationError)) throw error;
  console.log(error.message);
}
process.exitCode = failed === 0 ? 0 : 1;
