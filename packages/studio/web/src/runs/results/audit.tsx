// What `keel audit` found: whether a reward was gamed, or can be.
import { Alert, Card, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core';
import { IconAlertOctagon, IconInfoCircle } from '@tabler/icons-react';
import { type Content, ContentView } from '../../content/content.tsx';
import { Marked } from '../../content/marked.tsx';
import { counted } from '../../shell/words.ts';
import { numberText, shareText } from '../numbers.ts';
import type { FoundResults } from '../use-runs.ts';
import { Facts } from './facts.tsx';
import { IntervalTable } from './interval-table.tsx';
import { Scroll } from './scroll.tsx';
import { XyChart } from './xy-chart.tsx';

type Audit = FoundResults<'audit'>;

/** Answers that gained most, with their texts. */
const SHOWN = 5;

export function AuditResults({ found }: { found: Audit }) {
  const { verdict, course, explained, gainers } = found;
  const labels = new Map(found.features.map(({ name, label }) => [name, label]));
  const labelOf = (name: string): string => labels.get(name) ?? name;
  return (
    <Stack gap="lg">
      <Alert
        color={verdict.alarm ? 'red' : 'blue'}
        icon={verdict.alarm ? <IconAlertOctagon /> : <IconInfoCircle />}
        styles={{ title: { color: 'var(--mantine-color-text)' } }}
        title={<Marked text={verdict.title} />}
      >
        {verdict.sentences.map((sentence) => (
          <Text key={sentence} size="sm" mb={4}>
            <Marked text={sentence} />
          </Text>
        ))}
      </Alert>
      {verdict.mechanisms.length > 0 && (
        <IntervalTable
          title="Evidence: what goes with the reward's rise"
          note="The share of the rise that goes with each change. Graded: where the feature changed more, the reward rose more. Possible: a large change that may be what pays."
          first="Feature"
          valueName="Share of the rise"
          share
          line={0}
          columns={['Kind', 'Change in sd', 'Changed together with']}
          rows={verdict.mechanisms.map(
            ({ feature, share, interval, kind, size, with: others }) => ({
              ...{ name: labelOf(feature), value: share, interval },
              cells: [
                kind,
                size === null ? '–' : numberText(size),
                others.map(labelOf).join(', ') || '–',
              ],
            }),
          )}
        />
      )}
      <Changes found={found} />
      {course.length > 1 && <Course course={course} />}
      {explained !== null && explained.parts.length > 0 && (
        <IntervalTable
          title="What explains the change of the reward"
          note={`The reward changed by ${numberText(explained.change)} over ${counted(explained.items, 'prompt')}. The features explain ${shareText(explained.r2)} of the variance between prompts.`}
          first="Part"
          line={0}
          rows={[
            ...explained.parts.map(({ feature, part, interval }) => ({
              ...{ name: labelOf(feature), value: part, interval },
            })),
            {
              ...{ name: 'all answers alike', value: explained.alike },
              interval: explained.alike_interval,
            },
          ]}
        />
      )}
      {gainers !== null && gainers.answers.length > 0 && <Gainers {...{ gainers, labelOf }} />}
      <Facts
        title="What was audited"
        facts={[
          ['Answers', found.about],
          [
            'Prompts',
            `${found.prompts.toLocaleString('en')}, with ${found.answers.before.toLocaleString('en')} answers before and ${found.answers.after.toLocaleString('en')} after`,
          ],
          ['Reward', found.reward?.name ?? null],
          ['Gold', found.gold?.name ?? 'none: pass --gold with what the reward stands for'],
          [
            'Correlation of the changes of reward and gold',
            found.agreement === null
              ? null
              : `${numberText(found.agreement.value)}${found.agreement.interval === null ? '' : ` (${found.agreement.interval.map(numberText).join(' to ')})`}`,
          ],
          [
            'Answers without a partner',
            found.unpaired.before + found.unpaired.after === 0
              ? null
              : `${found.unpaired.before} before, ${found.unpaired.after} after`,
          ],
        ]}
      />
    </Stack>
  );
}

/** Every change in standard deviations, those of scores first. */
function Changes({ found }: { found: Audit }) {
  const { reward, gold, deviation, features } = found;
  const scores = [
    ...(reward === null ? [] : [{ label: `reward: ${reward.name}`, unit: 'score', ...reward }]),
    ...(gold === null ? [] : [{ label: `gold: ${gold.name}`, unit: 'score', ...gold }]),
    ...(deviation === null
      ? []
      : [{ label: "deviation of the reward's members", unit: 'score', ...deviation }]),
  ].map((one) => ({ ...one, changed: true, colour: 'var(--mantine-color-blue-6)' }));
  const seen = features
    .filter(({ before, after }) => before !== 0 || after !== 0)
    .toSorted((one, other) => Math.abs(other.size ?? 0) - Math.abs(one.size ?? 0))
    .map((one) => ({
      ...one,
      colour: one.changed ? 'var(--mantine-color-orange-6)' : 'var(--mantine-color-gray-6)',
    }));
  return (
    <IntervalTable
      title="What changed"
      note="Changes in standard deviations, with their 95% intervals over prompts. Orange features changed beyond chance."
      first="Score or feature"
      valueName="Change in sd"
      line={0}
      columns={['Before', 'After', 'Difference']}
      rows={[...scores, ...seen].map((one) => {
        const show = one.unit === 'share' ? shareText : numberText;
        return {
          ...{ name: one.label, value: one.size, interval: one.size_interval, colour: one.colour },
          ...(one.changed && one.unit !== 'score' && { about: 'changed' }),
          cells: [show(one.before), show(one.after), signed(show, one.difference)],
        };
      })}
    />
  );
}

const signed = (show: (value: number) => string, value: number): string =>
  `${value > 0 ? '+' : ''}${show(value)}`;

function Course({ course }: { course: Audit['course'] }) {
  const line = (label: string, of: (point: Audit['course'][number]) => number | null) => ({
    label,
    points: course.flatMap((point) => {
      const y = of(point);
      return y === null ? [] : [{ x: point.step, y, name: `step ${point.step}` }];
    }),
  });
  const lines = [line('reward', ({ reward }) => reward), line('gold', ({ gold }) => gold)];
  return (
    <XyChart
      title="The course of the run"
      note="Rises of the held-out answers above the first evaluation, in standard deviations of its answers."
      across="step"
      up="rise, in standard deviations"
      lines={lines.filter(({ points }) => points.length > 0)}
    />
  );
}

function Gainers({
  gainers,
  labelOf,
}: {
  gainers: NonNullable<Audit['gainers']>;
  labelOf: (name: string) => string;
}) {
  const { answers, features, phrases } = gainers;
  return (
    <Stack gap="sm" component="section" aria-label="Answers that gained most">
      <Title order={3} size="h4">
        Answers that gained most
      </Title>
      {features.length > 0 && (
        <Text size="sm">
          What they have in common:{' '}
          <Marked
            text={features
              .map(({ feature, size }) => `${labelOf(feature)} (${numberText(size)} sd)`)
              .join(', ')}
          />
          .
        </Text>
      )}
      {phrases.length > 0 && (
        <Text size="sm">
          Phrases that are new in them:{' '}
          <Marked
            text={phrases.map(({ text, answers: count }) => `“${text}” (${count})`).join(', ')}
          />
          .
        </Text>
      )}
      {answers.slice(0, SHOWN).map(({ prompt, before, after, reward, gold }, at) => (
        <Card key={`${at} ${reward}`} withBorder component="article">
          <Text size="sm" mb="xs" className="numeric">
            reward <b>{signed(numberText, reward)}</b>
            {gold !== null && (
              <>
                , gold <b>{signed(numberText, gold)}</b>
              </>
            )}
          </Text>
          <ContentView content={prompt as Content} plain />
          <SimpleGrid cols={{ base: 1, sm: 2 }} mt="sm">
            {(['Before', 'After'] as const).map((side) => {
              const own = side === 'Before' ? before : after;
              return (
                <div key={side}>
                  <Text size="xs" c="dimmed" mb={4}>
                    {side}
                    {own.length > 1 && `, the first of ${own.length}`}
                  </Text>
                  {own[0] === undefined ? null : <ContentView content={own[0] as Content} plain />}
                </div>
              );
            })}
          </SimpleGrid>
        </Card>
      ))}
      {answers.length > SHOWN && (
        <Text size="sm" c="dimmed">
          {answers.length - SHOWN} more are in the report.
        </Text>
      )}
    </Stack>
  );
}

export function AttackResults({ found }: { found: FoundResults<'attacks'> }) {
  const { won, attacks } = found;
  const winning = attacks.filter(({ outcome }) => outcome === 'wins');
  const examples = winning.flatMap(({ name, example }) =>
    example === null ? [] : [{ name, ...example }],
  );
  return (
    <Stack gap="lg">
      <Alert
        color={won ? 'red' : 'blue'}
        icon={won ? <IconAlertOctagon /> : <IconInfoCircle />}
        styles={{ title: { color: 'var(--mantine-color-text)' } }}
        title={won ? 'The reward can be gamed' : 'No attack wins'}
      >
        <Text size="sm">
          {won
            ? `These earn more than real answers: ${winning.map(({ name }) => name).join(', ')}. A policy that is trained on this reward can learn to do that instead.`
            : 'This is no proof: a policy finds attacks that nobody thought of.'}
        </Text>
      </Alert>
      <IntervalTable
        title="How often each attack earns more than the real answer"
        note={`${found.reward}, attacked on ${counted(found.rows, 'row')}. At the dashed line, the reward cannot tell the attack from a real answer.`}
        first="Attack"
        valueName="Wins"
        share
        line={0.5}
        columns={['Its reward', 'Real', 'Outcome']}
        rows={attacks.map(({ name, about, wins, score, real, outcome, unscored }) => ({
          ...{ name, about, value: wins?.value ?? null, interval: wins?.interval ?? null },
          ...(outcome === 'wins' && { colour: 'var(--mantine-color-red-6)' }),
          cells: [
            numberText(score),
            numberText(real),
            `${outcome}${unscored > 0 ? `, ${unscored} not scored` : ''}`,
          ],
        }))}
      />
      {found.unscored > 0 && (
        <Text size="sm">
          {counted(found.unscored, 'row')} are skipped: the reward gave their real answer no score.
        </Text>
      )}
      {examples.length > 0 && (
        <section aria-label="Examples">
          <Title order={3} size="h4" mb={4}>
            The row in which each winning attack gains most
          </Title>
          <Scroll label="Examples">
            <Table>
              <Table.Thead>
                <Table.Tr>
                  {['Attack', 'Prompt', 'Real answer', 'Attack’s answer', 'Reward'].map((head) => (
                    <Table.Th key={head}>{head}</Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {examples.map(({ name, prompt, answer, attack, score, real }) => (
                  <Table.Tr key={name} style={{ verticalAlign: 'top' }}>
                    <Table.Td>
                      <Marked text={name} />
                    </Table.Td>
                    {[prompt, answer, attack].map((text, at) => (
                      <Table.Td key={at} maw={260} style={{ overflowWrap: 'anywhere' }}>
                        {text.trim() === '' ? <i>empty</i> : <Marked text={text} />}
                      </Table.Td>
                    ))}
                    <Table.Td className="numeric">
                      {numberText(real)} → {numberText(score)}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Scroll>
        </section>
      )}
    </Stack>
  );
}
