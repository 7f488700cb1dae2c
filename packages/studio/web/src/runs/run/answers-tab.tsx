// Greedy answers to the same prompts, before and after.
import {
  Badge,
  Card,
  Group,
  Select,
  SimpleGrid,
  Skeleton,
  Stack,
  Switch,
  Text,
} from '@mantine/core';
import { IconMessages } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, api } from '../../api.ts';
import { type Content, ContentView } from '../../content/content.tsx';
import { Difference } from '../../content/difference.tsx';
import { EmptyState } from '../../shell/empty-state.tsx';
import { Failure } from '../../shell/failure.tsx';
import { counted } from '../../shell/words.ts';

export function AnswersTab({ run }: { run: string }) {
  const answers = useQuery({
    queryKey: ['run', run, 'answers'],
    queryFn: () => answerOf(api.runs.answers.$get({ query: { run } })),
  });
  const [chosen, setChosen] = useState<{ before: number | null; after: number | null }>({
    ...{ before: null, after: null },
  });
  const [isDifference, setDifference] = useState(true);
  if (answers.isError)
    return <Failure error={answers.error} retry={() => void answers.refetch()} />;
  if (answers.data === undefined) return <Skeleton h={300} />;
  const { steps, prompts } = answers.data;
  if (steps.length === 0) {
    return (
      <EmptyState title="No answers" icon={<IconMessages size={40} stroke={1.4} />}>
        This run answers no prompts while it trains. Trainings do so with --sample-prompts.
      </EmptyState>
    );
  }
  const before = Math.max(0, steps.indexOf(chosen.before ?? steps[0]!));
  const after = Math.max(0, steps.indexOf(chosen.after ?? steps.at(-1)!));
  const data = steps.map((step) => ({ value: String(step), label: timeOf(step) }));
  return (
    <Stack>
      <Group align="flex-end">
        <Select
          label="Left"
          data={data}
          value={String(steps[before])}
          onChange={(step) => setChosen({ ...chosen, before: Number(step) })}
          allowDeselect={false}
        />
        <Select
          label="Right"
          data={data}
          value={String(steps[after])}
          onChange={(step) => setChosen({ ...chosen, after: Number(step) })}
          allowDeselect={false}
        />
        <Switch
          label="Mark what differs"
          checked={isDifference}
          onChange={(event) => setDifference(event.currentTarget.checked)}
          mb={8}
        />
      </Group>
      {prompts.map(({ prompt, answers: own }) => (
        <Card key={JSON.stringify(prompt)} withBorder component="article">
          <ContentView content={prompt as Content} plain />
          <SimpleGrid cols={{ base: 1, sm: 2 }} mt="sm">
            {[before, after].map((at, place) => (
              <Answer
                key={place}
                title={timeOf(steps[at]!)}
                answer={own[at] ?? null}
                other={
                  isDifference ? (own[place === 0 ? after : before]?.completion ?? null) : null
                }
              />
            ))}
          </SimpleGrid>
        </Card>
      ))}
    </Stack>
  );
}

const timeOf = (step: number): string => (step === 0 ? 'Before training' : `After step ${step}`);

function Answer({
  title,
  answer,
  other,
}: {
  title: string;
  answer: { completion: string; tokens: number; ended: boolean } | null;
  other: string | null;
}) {
  return (
    <Stack gap={4}>
      <Group gap={6}>
        <Badge variant="light" tt="none">
          {title}
        </Badge>
        {answer !== null && (
          <Text size="xs" c="dimmed">
            {counted(answer.tokens, 'token')}
            {!answer.ended && ', cut off'}
          </Text>
        )}
      </Group>
      {answer === null ? (
        <Text c="dimmed">No answer to this prompt.</Text>
      ) : other === null ? (
        <Text style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {answer.completion || <i>empty</i>}
        </Text>
      ) : (
        <Difference text={answer.completion} other={other} />
      )}
    </Stack>
  );
}
