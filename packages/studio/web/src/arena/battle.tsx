// A blind battle: two models answer the same prompts, and who they were is told after the vote.
import {
  Alert,
  Badge,
  Button,
  Card,
  Group,
  Kbd,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  Textarea,
} from '@mantine/core';
import { IconPlayerPlay, IconSend, IconSwords } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useKeys } from '../annotate/use-keys.ts';
import { answerOf, api, queries } from '../api.ts';
import { ContentView } from '../content/content.tsx';
import { useProject } from '../projects/use-projects.ts';
import { EmptyState } from '../shell/empty-state.tsx';
import { Failure } from '../shell/failure.tsx';
import { PageHeader } from '../shell/page-header.tsx';

type Vote = 'left' | 'right' | 'tie' | 'both_bad';

interface Shown {
  id: string;
  turns: readonly { prompt: string; left: string; right: string }[];
  vote: Vote | null;
  models: { left: string; right: string } | null;
}

const votes: readonly { vote: Vote; label: string; key: string }[] = [
  { vote: 'left', label: 'A is better', key: '1' },
  { vote: 'tie', label: 'Equally good', key: '2' },
  { vote: 'right', label: 'B is better', key: '3' },
  { vote: 'both_bad', label: 'Both bad', key: '0' },
];

export default function Battle({ project }: { project: string }) {
  const about = useProject(project);
  const models = useQuery({
    queryKey: ['models', project],
    queryFn: () => answerOf(api.projects[':project'].models.$get({ param: { project } })),
  });
  const [battle, setBattle] = useState<Shown | null>(null);
  const [prompt, setPrompt] = useState('');
  const [since, setSince] = useState(0);
  const ask = useMutation({
    mutationFn: async (text: string) => {
      const own =
        battle !== null && battle.vote === null
          ? battle
          : ((await answerOf(
              api.projects[':project'].battles.$post({ param: { project } }),
            )) as Shown);
      setBattle(own);
      const param = { project, battle: own.id };
      return (await answerOf(
        api.projects[':project'].battles[':battle'].turns.$post({ param, json: { prompt: text } }),
      )) as Shown;
    },
    onSuccess: (next) => {
      setBattle(next);
      setPrompt('');
      setSince(performance.now());
    },
  });
  const vote = useMutation({
    mutationFn: async (given: Vote) => {
      const param = { project, battle: battle!.id };
      const seconds = Math.round((performance.now() - since) / 100) / 10;
      return (await answerOf(
        api.projects[':project'].battles[':battle'].vote.$post({
          param,
          json: { vote: given, seconds },
        }),
      )) as Shown;
    },
    onSuccess: async (next) => {
      setBattle(next);
      await queries.invalidateQueries({ queryKey: ['arena', project] });
    },
  });
  const canVote = battle !== null && battle.turns.length > 0 && battle.vote === null;
  useKeys(
    Object.fromEntries(votes.map((one) => [one.key, () => canVote && vote.mutate(one.vote)])),
    canVote && !vote.isPending,
  );
  if (about.isError) return <Failure error={about.error} />;
  if (models.isPending || about.isPending) return <Skeleton h={300} />;
  if (models.isError) return <Failure error={models.error} />;
  if (models.data.count < 2) {
    return (
      <>
        <PageHeader title={`Arena: ${about.data.name}`} />
        <EmptyState title="No two models to compare" icon={<IconSwords size={40} stroke={1.4} />}>
          Start a model with keel serve, with two adapters or more, and the Studio with keel studio
          --models http://127.0.0.1:8000. {models.data.faults.join(' ')}
        </EmptyState>
      </>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate(prompt);
  };
  return (
    <>
      <PageHeader title={`Arena: ${about.data.name}`}>
        Two models answer what you write. You do not see which: say who is better, and you learn who
        they were.
      </PageHeader>
      <Stack>
        {battle?.turns.map((turn, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: turns never change places
          <Stack key={at} gap="sm">
            <Card withBorder>
              <ContentView content={turn.prompt} plain />
            </Card>
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              {(['left', 'right'] as const).map((side) => (
                <Card key={side} withBorder component="article" aria-label={labelOf(side)}>
                  <Group mb="xs" gap="xs">
                    <Badge size="lg" variant="light" circle>
                      {side === 'left' ? 'A' : 'B'}
                    </Badge>
                    {battle.models !== null && <Text fw={600}>{battle.models[side]}</Text>}
                  </Group>
                  <ContentView content={turn[side]} alone />
                </Card>
              ))}
            </SimpleGrid>
          </Stack>
        ))}
        {canVote && (
          <Group justify="center" gap="xs" role="group" aria-label="Your vote">
            {votes.map(({ vote: given, label, key }) => (
              <Button
                key={given}
                variant="default"
                loading={vote.isPending && vote.variables === given}
                onClick={() => vote.mutate(given)}
                rightSection={
                  <Kbd size="xs" visibleFrom="sm">
                    {key}
                  </Kbd>
                }
              >
                {label}
              </Button>
            ))}
          </Group>
        )}
        {battle?.vote && (
          <Alert color="green" role="status">
            {votes.find((one) => one.vote === battle.vote)?.label}: A was {battle.models?.left}, B
            was {battle.models?.right}. The next prompt starts a new battle.
          </Alert>
        )}
        {vote.isError && <Failure error={vote.error} />}
        {ask.isError && <Failure error={ask.error} />}
        <form onSubmit={submit}>
          <Group align="flex-end">
            <Textarea
              label={canVote ? 'Go on, or vote' : 'Your prompt'}
              style={{ flex: 1 }}
              autosize
              minRows={2}
              maxRows={10}
              value={prompt}
              onChange={(event) => setPrompt(event.currentTarget.value)}
            />
            <Button
              type="submit"
              loading={ask.isPending}
              disabled={prompt.trim() === ''}
              leftSection={canVote ? <IconSend size={18} /> : <IconPlayerPlay size={18} />}
            >
              {canVote ? 'Send' : 'Start the battle'}
            </Button>
          </Group>
        </form>
      </Stack>
    </>
  );
}

const labelOf = (side: 'left' | 'right'): string => `Answer ${side === 'left' ? 'A' : 'B'}`;
