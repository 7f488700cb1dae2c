// Writes the arithmetic questions of the suite `capability`:
//   node scripts/write-arithmetic-questions.ts
import { writeFileSync } from 'node:fs';

const file = new URL(
  '../packages/evaluate/suites/data/capability/arithmetic.jsonl',
  import.meta.url,
);

interface Question {
  question: string;
  answer: number;
  /** The calculation, so that a test can repeat it. */
  expression: string;
}

let state = 20_260_101;

/** A whole number from `low` to `high`, the same in every run. */
function between(low: number, high: number): number {
  state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
  return low + Math.floor((state / 2_147_483_648) * (high - low + 1));
}

const calculation = (expression: string, answer: number): Question => ({
  question: `What is ${expression}?`,
  answer,
  expression,
});

const calculations: (() => Question)[] = [
  () => {
    const [a, b] = [between(12, 89), between(12, 89)];
    return calculation(`${a} + ${b}`, a + b);
  },
  () => {
    const b = between(11, 49);
    const a = b + between(7, 50);
    return calculation(`${a} - ${b}`, a - b);
  },
  () => {
    const [a, b] = [between(3, 9), between(11, 29)];
    return calculation(`${a} * ${b}`, a * b);
  },
  () => {
    const [b, c] = [between(3, 9), between(6, 24)];
    return calculation(`${b * c} / ${b}`, c);
  },
  () => {
    const [a, b, c] = [between(2, 9), between(2, 9), between(2, 30)];
    return calculation(`${a} * ${b} + ${c}`, a * b + c);
  },
];

const names = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eva', 'Finn', 'Gwen', 'Hugo', 'Iris', 'Jack'];
const things = ['apples', 'books', 'stamps', 'marbles', 'tickets', 'pencils', 'shells', 'cards'];
const pick = (from: readonly string[]): string => from[between(0, from.length - 1)]!;

const problems: (() => Question)[] = [
  () => {
    const [name, thing, a, b] = [pick(names), pick(things), between(20, 60), between(3, 18)];
    return {
      question: `${name} has ${a} ${thing} and gives ${b} of them away. How many ${thing} are left?`,
      answer: a - b,
      expression: `${a} - ${b}`,
    };
  },
  () => {
    const [name, thing, a, b] = [pick(names), pick(things), between(3, 9), between(4, 12)];
    return {
      question: `${name} buys ${a} boxes with ${b} ${thing} each. How many ${thing} is that?`,
      answer: a * b,
      expression: `${a} * ${b}`,
    };
  },
  () => {
    const [name, thing, a, b] = [pick(names), pick(things), between(3, 8), between(4, 12)];
    return {
      question: `${name} shares ${a * b} ${thing} equally among ${a} friends. How many ${thing} does each friend get?`,
      answer: b,
      expression: `${a * b} / ${a}`,
    };
  },
  () => {
    const [price, count] = [between(2, 9), between(3, 7)];
    const paid = Math.ceil((price * count) / 10) * 10 + 10;
    return {
      question: `A ticket costs ${price} dollars. ${pick(names)} buys ${count} tickets and pays with ${paid} dollars. How many dollars of change are returned?`,
      answer: paid - price * count,
      expression: `${paid} - ${price} * ${count}`,
    };
  },
  () => {
    const [speed, hours] = [between(4, 12) * 10, between(2, 5)];
    return {
      question: `A train travels at ${speed} kilometres per hour. How many kilometres does it travel in ${hours} hours?`,
      answer: speed * hours,
      expression: `${speed} * ${hours}`,
    };
  },
];

const kinds = [...calculations, ...problems];
const rows = new Map<string, Question>();
// One of each kind in turn, so that the first rows are of all kinds.
while (rows.size < 50) {
  const row = kinds[rows.size % kinds.length]!();
  rows.set(row.question, row);
}
writeFileSync(file, [...rows.values()].map((row) => `${JSON.stringify(row)}\n`).join(''));
