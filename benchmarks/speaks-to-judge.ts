// How many answers of files speak to their judge, by the rules that flag answers of `keel judge`.
// node benchmarks/speaks-to-judge.ts --data rows.jsonl --field chosen [--field rejected] [--show 5]
// Answers that occur more than 100 times are listed by themselves.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { speaksToJudge } from '@keel/align/judges';

const { values } = parseArgs({
  options: {
    data: { type: 'string', multiple: true },
    field: { type: 'string', multiple: true },
    show: { type: 'string', default: '0' },
  },
});
const { data = [], field: fields = [] } = values;
if (data.length === 0 || fields.length === 0) {
  throw new Error('--data and --field are required: JSONL files, and the fields with answers');
}

const REPEATED = 100;
let shown = 0;

const textOf = (value: unknown): string | null => {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return null;
  return value.map((message) => (message as { content?: string }).content ?? '').join('\n');
};

const rows = data.flatMap((path) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>),
);
const flags = (answer: string): string => speaksToJudge(answer).join(', ');
for (const name of fields) {
  const counts = new Map<string, number>();
  for (const answer of rows.flatMap((row) => textOf(row[name]) ?? [])) {
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  let [total, flagged] = [0, 0];
  for (const [answer, count] of counts) {
    if (count > REPEATED) {
      console.log(`${name}: ${count} times the same answer: ${flags(answer) || 'not flagged'}`);
      continue;
    }
    total += count;
    if (flags(answer) === '') continue;
    flagged += count;
    if (shown++ >= Number(values.show)) continue;
    console.log(`  ${flags(answer)}: ${JSON.stringify(answer.slice(0, 300))}`);
  }
  console.log(`${name}: ${flagged} of ${total} flagged (${((100 * flagged) / total).toFixed(2)}%)`);
}
