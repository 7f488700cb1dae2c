// How much people agree, with intervals, and what is striking about each of them.
import {
  Alert,
  Card,
  List,
  SimpleGrid,
  Skeleton,
  Stack,
  Switch,
  Table,
  Text,
  Title,
  Tooltip,
} from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, api } from '../api.ts';
import { Name } from '../content/marked.tsx';
import { EmptyState } from '../shell/empty-state.tsx';
import { Failure } from '../shell/failure.tsx';
import { counted, percent } from '../shell/words.ts';

interface Share {
  value: number;
  interval: readonly number[];
  count: number;
}

interface Coefficient {
  value: number | null;
  interval: readonly number[] | null;
  units: number;
}

const kinds = { pair: 'Pairs', ranking: 'Pairs of ranked answers', thumb: 'Thumbs' } as const;

export default function Agreement({ project }: { project: string }) {
  const [independent, setIndependent] = useState(false);
  const agreement = useQuery({
    queryKey: ['agreement', project, independent],
    queryFn: () =>
      answerOf(
        api.projects[':project'].agreement.$get({
          param: { project },
          query: { independent: String(independent) },
        }),
      ),
    // The switch stays where it is, with the focus.
    placeholderData: keepPreviousData,
  });
  if (agreement.isError) return <Failure error={agreement.error} />;
  if (agreement.isPending) return <Skeleton h={300} />;
  const report = agreement.data;
  const choice = (
    <Switch
      checked={independent}
      onChange={({ currentTarget }) => setIndependent(currentTarget.checked)}
      label="Only verdicts from before a suggestion was shown"
      description="The last one of each person on each task, instead of the newest"
    />
  );
  if (report === null) {
    if (independent)
      return (
        <EmptyState title="No verdict is surely independent" action={choice}>
          Every verdict may have been given after a suggestion was shown.
        </EmptyState>
      );
    return (
      <EmptyState title="No verdicts yet">
        As soon as people annotate, their agreement with each other is measured here.
      </EmptyState>
    );
  }
  const { people, all, tasks, skipped, quality } = report;
  const flagged = quality.filter(({ flags }) => flags.length > 0);
  return (
    <Stack gap="xl">
      <Text>
        {counted(all.verdicts, 'verdict')} of {counted(people.length, 'person', 'people')} on{' '}
        {counted(tasks, 'task')}
        {skipped > 0 && `, ${skipped} skipped`}
        {all.afterSuggestion > 0 &&
          `. ${counted(all.afterSuggestion, 'verdict')} may have been given after a suggestion was shown`}
      </Text>
      {(independent || all.afterSuggestion > 0) && choice}
      {flagged.length > 0 && (
        <Alert color="yellow" icon={<IconAlertTriangle />} title="Look at these people's verdicts">
          <List size="sm">
            {flagged.flatMap(({ person, flags }) =>
              flags.map(({ flag, evidence }) => (
                <List.Item key={`${person} ${flag}`}>
                  <Name>{person}</Name>: {flag}. {evidence}
                </List.Item>
              )),
            )}
          </List>
        </Alert>
      )}
      {report.kinds.map(({ kind, units, ratings, counts, fleiss, krippendorff, cohen }) => (
        <section key={kind}>
          <Title order={2} size="h4">
            {kinds[kind]}
          </Title>
          <Text size="sm" c="dimmed" mb="sm">
            {units.toLocaleString('en')}:{' '}
            {Object.entries(counts)
              .filter(([, count]) => count > 0)
              .map(([name, count]) => `${name.replace('_', ' ')} ${percent(count / ratings)}`)
              .join(', ')}
          </Text>
          <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
            <Measure
              name="Krippendorff's alpha"
              about="1: all agree. 0: as much as expected by chance"
              {...krippendorff}
            />
            <Measure
              name="Fleiss' kappa"
              about="1: all agree. 0: as much as expected by chance"
              {...fleiss}
            />
          </SimpleGrid>
          {cohen.length > 1 && (
            <Table mt="sm" maw={640} aria-label="Cohen's kappa of two people">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Cohen's kappa</Table.Th>
                  <Table.Th ta="right">Value</Table.Th>
                  <Table.Th ta="right">95% interval</Table.Th>
                  <Table.Th ta="right">Seen by both</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {cohen.map(({ people: two, kappa }) => (
                  <Table.Tr key={two.join(' ')}>
                    <Table.Td>
                      <Name>{two[0]}</Name> and <Name>{two[1]}</Name>
                    </Table.Td>
                    <Table.Td ta="right">{kappa.value?.toFixed(2) ?? '–'}</Table.Td>
                    <Table.Td ta="right">{rangeText(kappa.interval)}</Table.Td>
                    <Table.Td ta="right">{kappa.units}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
        </section>
      ))}
      <section>
        <Title order={2} size="h4" mb="xs">
          People
        </Title>
        <Table.ScrollContainer minWidth={640}>
          <Table aria-label="People">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Person</Table.Th>
                <Table.Th ta="right">Verdicts</Table.Th>
                <Heading about="How often a person says what most of the others say">
                  As the others
                </Heading>
                <Heading about="How often a person finds the known verdict">As gold</Heading>
                <Heading about="How often the left answer wins. 50%: no preference for a side">
                  Left
                </Heading>
                <Heading about="How often the longer answer wins">Longer</Heading>
                <Heading about="Median time of a verdict">Seconds</Heading>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {people.map(({ person, verdicts, majority, gold, left, longer, seconds }) => (
                <Table.Tr key={person}>
                  <Table.Td>
                    <Name>{person}</Name>
                  </Table.Td>
                  <Table.Td ta="right">{verdicts}</Table.Td>
                  <ShareCell share={majority} />
                  <ShareCell share={gold} />
                  <ShareCell share={left} />
                  <ShareCell share={longer} />
                  <Table.Td ta="right">{seconds?.toFixed(1) ?? '–'}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
        <Text size="sm" c="dimmed" mt="xs">
          Intervals are 95%.
        </Text>
      </section>
      <Confusions quality={quality} />
    </Stack>
  );
}

interface Quality {
  person: string;
  confusions: readonly {
    kind: keyof typeof kinds;
    choices: readonly string[];
    units: number;
    shares: readonly (readonly number[])[];
  }[];
}

/** What each person says by what is most probably right; only where there is something to see. */
function Confusions({ quality }: { quality: readonly Quality[] }) {
  const all = quality.flatMap(({ person, confusions }) =>
    confusions.map((confusion) => ({ person, ...confusion, shown: occurring(confusion.shares) })),
  );
  if (all.length === 0) return null;
  return (
    <section>
      <Title order={2} size="h4">
        Confusion
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        What a person says (columns) where a verdict is most probably right (rows), by the model of
        Dawid and Skene.
      </Text>
      <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
        {all.map(({ person, kind, choices, units, shares, shown }) => (
          <Table key={`${person} ${kind}`} captionSide="top" withTableBorder>
            <Table.Caption>
              <Name>{person}</Name>, {kinds[kind].toLowerCase()}: {counted(units, 'unit')}
            </Table.Caption>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>probably right</Table.Th>
                {shown.map((column) => (
                  <Table.Th key={column} ta="right">
                    {choices[column]!.replace('_', ' ')}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map((row) => (
                <Table.Tr key={row}>
                  <Table.Th scope="row">{choices[row]!.replace('_', ' ')}</Table.Th>
                  {shown.map((column) => (
                    <Table.Td key={column} ta="right">
                      {percent(shares[row]![column]!)}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        ))}
      </SimpleGrid>
    </section>
  );
}

/** The choices that occur: of others, the model knows nothing, and all shares are equal. */
const occurring = (shares: readonly (readonly number[])[]): number[] =>
  shares.map((_, at) => at).filter((at) => new Set(shares[at]).size > 1);

function Measure({
  name,
  about,
  value,
  interval,
  units,
}: Coefficient & { name: string; about: string }) {
  return (
    <Card withBorder>
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text size="1.8rem" fw={650}>
        {value === null ? '–' : value.toFixed(2)}
      </Text>
      <Text size="sm">
        {value === null
          ? 'No task has two verdicts that could differ'
          : `95%: ${rangeText(interval)}; ${counted(units, 'unit')} rated twice`}
      </Text>
      <Text size="xs" c="dimmed">
        {about}
      </Text>
    </Card>
  );
}

const Heading = ({ about, children }: { about: string; children: string }) => (
  <Table.Th ta="right">
    <Tooltip label={about} multiline maw={260}>
      <Text span fw={700} size="sm" tabIndex={0} style={{ borderBottom: '1px dotted' }}>
        {children}
      </Text>
    </Tooltip>
  </Table.Th>
);

const ShareCell = ({ share }: { share: Share | null }) => (
  <Table.Td ta="right">
    {share === null ? (
      '–'
    ) : (
      <>
        {percent(share.value)}{' '}
        <Text span size="xs" c="dimmed">
          ({percent(share.interval[0]!)} to {percent(share.interval[1]!)}) of {share.count}
        </Text>
      </>
    )}
  </Table.Td>
);

const rangeText = (interval: readonly number[] | null): string =>
  interval === null ? '–' : `${interval[0]!.toFixed(2)} to ${interval[1]!.toFixed(2)}`;
