// What `keel judge` found: a comparison of two models, ratings, or a check of the judge.
import { Group, Progress, Stack, Text, Title } from '@mantine/core';
import { Marked } from '../../content/marked.tsx';
import { counted } from '../../shell/words.ts';
import { numberText, shareText } from '../numbers.ts';
import type { FoundResults } from '../use-runs.ts';
import { Facts, Findings, shareWithInterval } from './facts.tsx';
import { IntervalTable } from './interval-table.tsx';
import { XyChart } from './xy-chart.tsx';

type Judged = FoundResults<'judged'>;

export function JudgedAnswers({ found }: { found: Judged }) {
  const { model_a: a, model_b: b, win_rate: rate, length_controlled: level, check } = found;
  const { flagged, categories } = found;
  const rows = [
    ...(rate === null ? [] : [{ name: `${b} wins`, about: 'the mean of all verdicts', ...rate }]),
    ...(level.value === null
      ? []
      : [{ name: 'at equal lengths', about: 'length-controlled', ...level }]),
    ...(flagged.win_rate_without === null
      ? []
      : [{ name: 'without flagged answers', ...flagged.win_rate_without }]),
    ...categories.map(({ category, win_rate, pairs }) => ({
      ...{ name: category, about: counted(pairs, 'pair'), ...win_rate },
    })),
  ];
  return (
    <Stack gap="lg">
      <Findings findings={found.findings} />
      <Verdicts found={found} />
      {rows.length > 0 && (
        <IntervalTable
          title={`Win rate of ${b} over ${a}`}
          valueName="Win rate"
          note={`95% intervals over ${counted(found.prompts, 'prompt')}. The dashed line is 50%: no difference.`}
          first="Of"
          {...{ rows, share: true, line: 0.5 }}
        />
      )}
      <Facts
        title="Can the judge be believed?"
        facts={[
          ['Judge', found.judge],
          [
            'Right on labelled pairs',
            check === null
              ? 'not checked: pass labelled pairs with --check'
              : check.accuracy === null
                ? 'no verdict on a labelled pair'
                : `${shareWithInterval(check.accuracy)} of ${check.decided}`,
          ],
          ...ordersFacts(found.orders),
          ['Longer answer wins', shareWithInterval(found.longer_wins)],
          [
            'Mean length',
            `${a}: ${lengthText(found.lengths.a)}; ${b}: ${lengthText(found.lengths.b)}`,
          ],
          ['At equal lengths', level.value === null ? `not known: ${level.why}` : null],
          ...flagged.flags.map(
            ({ flag, a: ofA, b: ofB }) =>
              [`Flagged: ${flag}`, `${counted(ofA, 'answer')} of ${a}, ${ofB} of ${b}`] as const,
          ),
          ...found.rules.map(
            ({ rule, count }) => [`Not asked: ${rule}`, counted(count, 'pair')] as const,
          ),
          ...failureFacts(found.failures),
          usageFact(found.usage),
        ]}
      />
    </Stack>
  );
}

/** How often each side won. */
function Verdicts({ found }: { found: Judged }) {
  const { model_a: a, model_b: b, wins, losses, ties, pairs, judged } = found;
  if (judged === 0) return null;
  const parts = [
    { label: `${b} wins`, count: wins, color: 'sea' },
    { label: 'ties', count: ties, color: 'gray.5' },
    { label: `${a} wins`, count: losses, color: 'orange' },
  ];
  return (
    <section aria-label="Verdicts">
      <Title order={3} size="h4" mb={4}>
        Verdicts
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        {judged === pairs
          ? counted(pairs, 'pair')
          : `${judged.toLocaleString('en')} of ${counted(pairs, 'pair')} have a verdict`}
      </Text>
      <Progress.Root size={26} maw={760} aria-hidden="true">
        {parts.map(({ label, count, color }) => (
          <Progress.Section key={label} value={(100 * count) / judged} color={color} />
        ))}
      </Progress.Root>
      <Group gap="lg" mt={6} className="numeric">
        {parts.map(({ label, count }) => (
          <Text key={label} size="sm">
            <Marked text={label} /> <b>{count.toLocaleString('en')}</b>{' '}
            <Text span inherit c="dimmed">
              {shareText(count / judged)}
            </Text>
          </Text>
        ))}
      </Group>
    </section>
  );
}

export function JudgeCheck({ found }: { found: FoundResults<'judge-check'> }) {
  const { accuracy, by_order: order, people, calibration, categories, kappa } = found;
  const rows = [
    ...(accuracy === null
      ? []
      : [
          { name: 'The judge', about: `of ${counted(found.decided, 'decided pair')}`, ...accuracy },
        ]),
    ...(order === null
      ? []
      : [
          { name: 'in the given order', ...order.first_order },
          { name: 'with the answers swapped', ...order.swapped },
          { name: 'right in both orders', ...order.both },
        ]),
    ...(people.accuracy === null
      ? []
      : [{ name: 'A person', about: 'against the other people', ...people.accuracy }]),
    ...categories.map(({ category, pairs, accuracy: own }) => ({
      ...{ name: category, about: counted(pairs, 'pair'), ...own },
    })),
  ];
  return (
    <Stack gap="lg">
      <Findings findings={found.findings} />
      {rows.length > 0 && (
        <IntervalTable
          title="Agreement with people"
          valueName="Agreement"
          note="The share of pairs on which the verdict is that of most people. The dashed line is a coin."
          first="Whose verdict"
          {...{ rows, share: true, line: 0.5 }}
        />
      )}
      <Facts
        title="The judge"
        facts={[
          ['Judge', found.judge],
          [
            'Labelled pairs',
            `${found.pairs.toLocaleString('en')}, ${found.judged.toLocaleString('en')} with a verdict`,
          ],
          ["Cohen's kappa", kappaText(kappa)],
          ["People's Fleiss kappa", people.kappa === null ? null : kappaText(people.kappa)],
          [
            'Calibration error',
            calibration === null
              ? null
              : `${numberText(calibration.error.value)} (a calibrated judge: up to ${numberText(calibration.error_by_chance.high)})`,
          ],
          [
            'Brier score',
            calibration === null ? null : `${numberText(calibration.brier)} (a coin: 0.25)`,
          ],
          ...ordersFacts(found.orders),
          ['Longer answer wins, by the judge', shareWithInterval(found.longer_wins.judge)],
          ['Longer answer wins, by people', shareWithInterval(found.longer_wins.people)],
          ['Ties', `${found.ties.judge} by the judge, ${found.ties.people} by people`],
          ...failureFacts(found.failures),
          usageFact(found.usage),
        ]}
      />
      {calibration !== null && calibration.bins.length > 0 && (
        <XyChart
          title="Calibration"
          note="Of a calibrated judge, verdicts with a confidence of 80% are right in 80% of the pairs: its points are on the diagonal."
          across="confidence of the judge"
          up="share that is right"
          diagonal
          include={{ x: [0.5, 1], y: [0, 1] }}
          lines={[
            {
              label: 'verdicts by confidence',
              points: calibration.bins.map(({ from, to, confidence, accuracy: own }) => ({
                ...{ x: confidence, y: own.value, interval: own.interval },
                name: `from ${shareText(from)} to ${shareText(to)}, ${counted(own.count, 'pair')}`,
              })),
            },
          ]}
        />
      )}
    </Stack>
  );
}

export function Scores({ found }: { found: FoundResults<'scores'> }) {
  const { score, criteria, categories } = found;
  const rows = [
    ...(score === null ? [] : [{ name: 'Mean score', ...score }]),
    ...criteria.map(({ name, score: own }) => ({ name, about: 'criterion', ...own })),
    ...categories.map(({ category, score: own }) => ({
      ...{ name: category, about: counted(own.count, 'answer'), ...own },
    })),
  ];
  return (
    <Stack gap="lg">
      <Findings findings={found.findings} />
      {rows.length > 0 && (
        <IntervalTable title={`Scores of ${found.model}`} first="Of" rows={rows} />
      )}
      <Facts
        title="The judge"
        facts={[
          ['Judge', found.judge],
          [
            'Answers',
            `${found.answers.toLocaleString('en')}, ${found.rated.toLocaleString('en')} with a score`,
          ],
          ...found.flags.map(
            ({ flag, count }) => [`Flagged: ${flag}`, counted(count, 'answer')] as const,
          ),
          ...failureFacts(found.failures),
          usageFact(found.usage),
        ]}
      />
    </Stack>
  );
}

type Fact = readonly [name: string, value: string | null];

const ordersFacts = ({ pairs, once, agree, first_wins: first }: Judged['orders']): Fact[] => [
  [
    'Same winner in both orders',
    agree !== null
      ? `${shareWithInterval(agree)} of ${counted(pairs, 'pair')}`
      : once > 0
        ? 'always: the judge does not see the order'
        : 'not measured: no pair was judged in both orders',
  ],
  ['First place wins', shareWithInterval(first)],
];

const failureFacts = (failures: Judged['failures']): Fact[] =>
  failures.map(({ reason, count, first_row }) => [
    'No verdict',
    `${count.toLocaleString('en')}: ${reason} (first: row ${first_row})`,
  ]);

const usageFact = ({ prompt_tokens, answer_tokens, cost }: Judged['usage']): Fact => [
  'Asked with',
  prompt_tokens + answer_tokens === 0
    ? null
    : `${counted(prompt_tokens, 'prompt token')} and ${counted(answer_tokens, 'answer token')}${cost === 0 ? '' : `, cost ${numberText(cost)}`}`,
];

const lengthText = ({ characters, words }: Judged['lengths']['a']): string =>
  `${counted(Math.round(characters), 'character')}, ${counted(Math.round(words), 'word')}`;

const kappaText = ({ value, interval }: FoundResults<'judge-check'>['kappa']): string =>
  value === null || interval === null
    ? 'undefined: the better answer is at the same place in all pairs'
    : `${numberText(value)} (${numberText(interval[0])} to ${numberText(interval[1])})`;
