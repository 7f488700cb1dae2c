// What `keel rate` found: ratings of models from battles.
import { Stack, Table, Text, Title } from '@mantine/core';
import { Marked, Name } from '../../content/marked.tsx';
import { counted } from '../../shell/words.ts';
import { numberText, shareText } from '../numbers.ts';
import type { FoundResults } from '../use-runs.ts';
import { Facts } from './facts.tsx';
import { IntervalTable } from './interval-table.tsx';
import { Scroll } from './scroll.tsx';

type Found = FoundResults<'ratings'>;
type Rated = Found['ratings'];

export function RatingResults({ found }: { found: Found }) {
  const { ratings, style, next, categories = [], options } = found;
  const hasElo = ratings.some(({ elo }) => elo !== undefined);
  return (
    <Stack gap="lg">
      <RatingTable
        title="Ratings"
        note={`Bradley-Terry ratings of ${counted(found.battles, 'battle')}, with 95% intervals. 400 points more are 10 times the odds to win.`}
        ratings={ratings}
        hasElo={hasElo}
      />
      <Wins found={found} />
      {style !== undefined && <Style style={style} />}
      {next.length > 0 && (
        <section aria-label="Next battles">
          <Title order={3} size="h4" mb={4}>
            Battles that would teach most
          </Title>
          <Scroll label="Battles to hold next">
            <Table className="numeric" maw={860}>
              <Table.Thead>
                <Table.Tr>
                  {['Between', 'Suggested', 'So far', 'First wins', 'Error of the difference'].map(
                    (head) => (
                      <Table.Th key={head}>{head}</Table.Th>
                    ),
                  )}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {next.map((one) => (
                  <Table.Tr key={`${one.a} ${one.b}`}>
                    <Table.Td>
                      <Name>{one.a}</Name> and <Name>{one.b}</Name>
                    </Table.Td>
                    <Table.Td>{one.suggested}</Table.Td>
                    <Table.Td>{one.battles}</Table.Td>
                    <Table.Td>{shareText(one.win_probability)}</Table.Td>
                    <Table.Td>
                      {numberText(one.errors[0])} → {numberText(one.errors[1])}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Scroll>
        </section>
      )}
      {categories.map(({ name, battles, ratings: own, why }) =>
        own === null ? (
          <Text key={name} size="sm">
            <Name>{name}</Name>, {counted(battles, 'battle')}: no ratings. {why}
          </Text>
        ) : (
          <RatingTable
            key={name}
            title={`${name}, ${counted(battles, 'battle')}`}
            ratings={own}
            hasElo={false}
          />
        ),
      )}
      <Facts
        title="What was read"
        facts={[
          [
            'Battles',
            `${found.battles.toLocaleString('en')}, ${found.ties.toLocaleString('en')} ties`,
          ],
          ['Rows', found.rows.toLocaleString('en')],
          ...Object.entries(found.formats).map(
            ([format, files]) => [`Files in the form ${format}`, files.join(', ')] as const,
          ),
          ...Object.entries(found.judges).map(
            ([judge, count]) => [`Decided by ${judge}`, count.toLocaleString('en')] as const,
          ),
          ...Object.entries(found.skipped).map(
            ([why, count]) => [`Skipped: ${why}`, count.toLocaleString('en')] as const,
          ),
          ['Bad rows', found.bad_rows === 0 ? null : found.bad_rows.toLocaleString('en')],
          [
            'Dependent battles',
            found.clusters === null ? null : `${counted(found.clusters, 'cluster')}`,
          ],
          [
            'Intervals',
            options.intervals === 'bootstrap'
              ? `bootstrap, ${options.resamples} samples`
              : options.intervals,
          ],
          [
            'Anchor',
            options.anchor === null ? null : `${options.anchor.name} at ${options.anchor.rating}`,
          ],
          ['Prior', options.prior === null ? null : `${options.prior} points`],
        ]}
      />
    </Stack>
  );
}

const RatingTable = ({
  title,
  note,
  ratings,
  hasElo,
}: {
  title: string;
  note?: string;
  ratings: Rated;
  hasElo: boolean;
}) => (
  <IntervalTable
    title={title}
    {...(note !== undefined && { note })}
    first="Model"
    valueName="Rating"
    columns={['Rank', 'Wins against the others', 'Battles', ...(hasElo ? ['Elo'] : [])]}
    rows={ratings.map(({ model, rating, interval, ranks, win_rate, battles, elo }) => ({
      ...{ name: model, value: Math.round(rating) },
      interval: [Math.round(interval[0]), Math.round(interval[1])] as const,
      cells: [
        ranks[0] === ranks[1] ? String(ranks[0]) : `${ranks[0]} to ${ranks[1]}`,
        shareText(win_rate),
        battles.toLocaleString('en'),
        ...(elo === undefined ? [] : [numberText(Math.round(elo))]),
      ],
    }))}
  />
);

/** Wins of each model against each other one. */
function Wins({ found: { ratings, pairs } }: { found: Found }) {
  const names = ratings.map(({ model }) => model);
  const winsOf = (row: string, column: string): { wins: number; battles: number } | null => {
    const pair = pairs.find(
      ({ a, b }) => (a === row && b === column) || (a === column && b === row),
    );
    if (pair === undefined) return null;
    return { wins: pair.a === row ? pair.wins_a : pair.wins_b, battles: pair.battles };
  };
  if (names.length > 20) return null;
  return (
    <section aria-label="Wins">
      <Title order={3} size="h4" mb={4}>
        Wins of the row's model against the column's
      </Title>
      <Scroll label="Wins of each pair">
        <Table withTableBorder className="numeric">
          <Table.Thead>
            <Table.Tr>
              <Table.Td />
              {names.map((name) => (
                <Table.Th key={name}>
                  <Marked text={name} />
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {names.map((row) => (
              <Table.Tr key={row}>
                <Table.Th scope="row">
                  <Marked text={row} />
                </Table.Th>
                {names.map((column) => {
                  const found = row === column ? null : winsOf(row, column);
                  return (
                    <Table.Td key={column}>
                      {found === null
                        ? '–'
                        : `${shareText(found.wins / found.battles)} of ${found.battles}`}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Scroll>
    </section>
  );
}

const Style = ({ style }: { style: NonNullable<Found['style']> }) => (
  <IntervalTable
    title="What style is worth"
    note="Coefficients of the style features, which the ratings are corrected for. At 0 a feature does not change who wins."
    first="Feature"
    line={0}
    rows={Object.entries(style).map(([name, one]) => ({ name, ...one }))}
  />
);
