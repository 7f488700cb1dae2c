// What `keel compare` found: objectives on one budget.
import { Stack, Table, Text, Title } from '@mantine/core';
import { Marked } from '../../content/marked.tsx';
import { counted } from '../../shell/words.ts';
import { durationText, numberText, shareText } from '../numbers.ts';
import type { FoundResults } from '../use-runs.ts';
import { Facts } from './facts.tsx';
import { IntervalTable } from './interval-table.tsx';
import { Scroll } from './scroll.tsx';
import { XyChart } from './xy-chart.tsx';

type Found = FoundResults<'comparison'>;
type Metric = Found['ordered_by'];

/** Metrics of every group, the most telling first. */
const shown: readonly { metric: Metric; title: string; note: string; share: boolean }[] = [
  {
    ...{ metric: 'win_rate', title: 'Win rate against the reference', share: true },
    note: 'The share of held-out prompts on which the answer gets the higher reward; ties count half.',
  },
  {
    ...{ metric: 'accuracy', title: 'Preference accuracy', share: true },
    note: 'The share of held-out pairs in which the chosen answer gained more probability than the rejected one.',
  },
  {
    ...{ metric: 'likelier', title: 'Chosen answer likelier', share: true },
    note: 'The share of held-out pairs in which the chosen answer is likelier for each token.',
  },
  { metric: 'margin', title: 'Margin', share: false, note: 'In nats, against the reference.' },
  {
    ...{ metric: 'chosen', title: 'Change of chosen answers', share: false },
    note: 'Of their log-probabilities, against the reference.',
  },
  { metric: 'kl', title: 'KL to the reference', share: false, note: 'In nats for each answer.' },
  { metric: 'reward', title: 'Reward', share: false, note: 'The mean over held-out prompts.' },
  { metric: 'length', title: 'Answer length', share: false, note: 'In tokens.' },
  {
    ...{ metric: 'ended', title: 'Finished answers', share: true },
    note: 'Answers that ended before the maximum length.',
  },
];

/** Metrics that compare with the reference, and so say nothing about it. */
const relative: readonly Metric[] = ['win_rate', 'accuracy', 'margin', 'chosen', 'kl'];

/** Metrics in which half is no difference. */
const halves: readonly Metric[] = ['win_rate', 'accuracy', 'likelier'];

export function ComparisonResults({ found }: { found: Found }) {
  const { groups, reference, leads, entries, missing } = found;
  const lead = shown.find(({ metric }) => metric === found.ordered_by);
  const first = groups[0]?.name;
  const points = groups.flatMap((group) => {
    const [kl, up] = [group.kl, group[found.ordered_by]];
    return kl === null || up === null
      ? []
      : [
          {
            label: group.name,
            points: [{ x: kl.value, y: up.value, interval: up.interval, name: group.name }],
          },
        ];
  });
  return (
    <Stack gap="lg">
      {missing.length > 0 && (
        <Text size="sm">
          Not finished, and not in these numbers: <Marked text={missing.join(', ')} />.
        </Text>
      )}
      {leads.length > 0 && first !== undefined && (
        <IntervalTable
          title={`The lead of ${first}`}
          note={`The difference in ${lead?.title.toLowerCase() ?? found.ordered_by}, on the same held-out rows. A lead is clear if its interval excludes 0 and the sign test's p is below 0.05.`}
          first="Over"
          line={0}
          columns={['p', 'Clear']}
          rows={leads.map(({ over, p, clear, ...own }) => ({
            ...{ name: over, ...own },
            cells: [numberText(p), clear ? 'yes' : 'no'],
          }))}
        />
      )}
      <XyChart
        title={`${lead?.title ?? found.ordered_by} against KL`}
        across="KL to the reference, in nats for each answer"
        up={lead?.title.toLowerCase() ?? found.ordered_by}
        lines={points}
        include={{ x: [0], y: [] }}
      />
      {shown.map(({ metric, title, note, share }) => {
        const rows = [
          ...groups.map((group) => ({ name: group.name, summary: group[metric] })),
          ...(relative.includes(metric) ? [] : [{ name: 'reference', summary: reference[metric] }]),
        ].flatMap(({ name, summary }) =>
          summary === null
            ? []
            : [
                {
                  ...{ name, value: summary.value, interval: summary.interval },
                  ...(summary.spread !== null && {
                    about: `± ${share ? shareText(summary.spread) : numberText(summary.spread)} over seeds`,
                  }),
                },
              ],
        );
        return rows.length === 0 ? null : (
          <IntervalTable
            key={metric}
            {...{ title, note, share, rows, first: 'Objective' }}
            line={halves.includes(metric) ? 0.5 : null}
          />
        );
      })}
      <SuiteNumbers found={found} />
      <section aria-label="Runs">
        <Title order={3} size="h4" mb={4}>
          Runs
        </Title>
        <Scroll label="Runs">
          <Table className="numeric">
            <Table.Thead>
              <Table.Tr>
                {['Run', 'Method', 'Seed', 'Learning rate', 'Steps', 'Tokens', 'Time'].map(
                  (head) => (
                    <Table.Th key={head}>{head}</Table.Th>
                  ),
                )}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {entries.map((one) => (
                <Table.Tr key={one.name}>
                  <Table.Td>
                    <Marked text={one.name} />
                  </Table.Td>
                  <Table.Td>
                    {one.verb}, {one.loss.join(' and ')}
                    {one.beta !== null && `, beta ${numberText(one.beta)}`}
                  </Table.Td>
                  <Table.Td>{one.seed}</Table.Td>
                  <Table.Td>{numberText(one.learning_rate)}</Table.Td>
                  <Table.Td>{one.steps.toLocaleString('en')}</Table.Td>
                  <Table.Td>{one.num_tokens.toLocaleString('en')}</Table.Td>
                  <Table.Td>{durationText(one.seconds)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Scroll>
      </section>
      <Facts
        title="What was compared"
        facts={[
          ['Model', found.model],
          ['Data', found.data.join(', ')],
          [
            'Held out',
            `${counted(found.eval.pairs, 'pair')}, ${counted(found.eval.prompts, 'prompt')}`,
          ],
          ['Reward', found.reward],
          [
            'Budget',
            `${counted(found.steps, 'step')} of ${counted(found.batch_size, 'pair')}${found.same_budget ? '' : '; entries with the same seed were trained on different numbers of tokens'}`,
          ],
        ]}
      />
    </Stack>
  );
}

/** Metrics of `--eval-suites`. */
function SuiteNumbers({ found: { groups, reference } }: { found: Found }) {
  const names = [...new Set(groups.flatMap(({ suites }) => Object.keys(suites ?? {})))];
  return names.map((name) => {
    const of = [...groups, { name: 'reference', ...reference }].flatMap((group) => {
      const own = group.suites?.[name];
      return own === undefined ? [] : [{ ...own, name: group.name }];
    });
    return (
      <IntervalTable
        key={name}
        title={`Suite: ${name}`}
        first="Objective"
        share={of.every(({ unit }) => unit === 'share')}
        rows={of}
      />
    );
  });
}
