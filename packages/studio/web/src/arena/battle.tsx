// A blind battle: two models answer the same prompts, and who they were is told after the vote.
import {
  Alert,
  Badge,
  Box,
  Button,
  Card,
  Group,
  Kbd,
  Loader,
  Paper,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  Textarea,
  VisuallyHidden,
} from '@mantine/core';
import {
  IconPlayerPlay,
  IconPlayerStopFilled,
  IconRefresh,
  IconSend,
  IconSwords,
} from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import {
  type FormEvent,
  type KeyboardEvent,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { useKeys } from '../annotate/use-keys.ts';
import { ApiFailure, answerLines, answerOf, api, queries } from '../api.ts';
import { ContentView } from '../content/content.tsx';
import { Name } from '../content/marked.tsx';
import { useProject } from '../projects/use-projects.ts';
import { EmptyState } from '../shell/empty-state.tsx';
import { Failure } from '../shell/failure.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import './battle.css';

type Vote = 'left' | 'right' | 'tie' | 'both_bad';

interface Turn {
  prompt: string;
  left: string;
  right: string;
}

interface Shown {
  id: string;
  turns: readonly Turn[];
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
  if (about.isError) return <Failure error={about.error} />;
  if (models.isPending || about.isPending) return <Skeleton h={300} />;
  if (models.isError) {
    return <Failure error={models.error} retry={() => void models.refetch()} />;
  }
  const title = `Arena: ${about.data.name}`;
  if (models.data.count < 2) {
    return (
      <>
        <PageHeader title={title} />
        <EmptyState
          title="No two models to compare"
          icon={<IconSwords size={40} stroke={1.4} />}
          action={
            <Button variant="default" onClick={() => void models.refetch()}>
              Look again
            </Button>
          }
        >
          Start a model with keel serve, with two adapters or more, and the Studio with keel studio
          --models http://127.0.0.1:8000. {models.data.faults.join(' ')}
        </EmptyState>
      </>
    );
  }
  return (
    <>
      <PageHeader title={title}>
        Two models answer what you write. You do not see which: say who is better, and you learn who
        they were.
      </PageHeader>
      <Fight project={project} />
    </>
  );
}

function Fight({ project }: { project: string }) {
  const [battle, setBattle] = useState<Shown | null>(null);
  const [prompt, setPrompt] = useState('');
  const [since, setSince] = useState(0);
  const [writing, setWriting] = useState<Turn | null>(null);
  const [said, setSaid] = useState('');
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const voting = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);

  const ask = useMutation({
    mutationFn: async ({ text, isNew = false }: { text: string; isNew?: boolean }) => {
      const control = new AbortController();
      stop.current = control;
      let turn: Turn = { prompt: text, left: '', right: '' };
      setWriting(turn);
      setPrompt('');
      setSaid('Both models are answering');
      const goesOn = !isNew && battle !== null && battle.vote === null;
      const own = goesOn
        ? battle
        : ((await answerOf(
            api.projects[':project'].battles.$post({ param: { project } }),
          )) as Shown);
      setBattle(own);
      const path = `/projects/${project}/battles/${own.id}/turns`;
      for await (const line of answerLines<{ battle: Shown } | Turn>(
        path,
        { prompt: text },
        control.signal,
      )) {
        if ('battle' in line) return line.battle;
        turn = { prompt: text, left: turn.left + line.left, right: turn.right + line.right };
        setWriting(turn);
      }
      throw new ApiFailure(0, 'offline', 'The answers broke off. Ask again');
    },
    onSuccess: (next) => {
      setBattle(next);
      setSince(performance.now());
      setSaid('Both answers are complete. Vote, or go on');
    },
    onError: (_, { text }) => {
      // What was asked is not lost, and what was half answered is not in the battle.
      setPrompt((now) => (now === '' ? text : now));
      setSaid(stop.current?.signal.aborted ? 'Stopped. The half answers are not kept' : '');
    },
    onSettled: () => setWriting(null),
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
      setSaid('');
      await queries.invalidateQueries({ queryKey: ['arena', project] });
    },
  });
  const isOpen = battle !== null && battle.turns.length > 0 && battle.vote === null;
  const canVote = isOpen && !ask.isPending;
  // After the answers, the keys of the vote work at once; otherwise one writes.
  const before = useRef(ask.status);
  useLayoutEffect(() => {
    if (before.current === 'pending' && ask.status === 'success')
      voting.current?.focus({ preventScroll: true });
    else if (before.current === 'pending') field.current?.focus();
    before.current = ask.status;
  }, [ask.status]);
  const given = battle?.vote ?? null;
  useLayoutEffect(() => {
    if (given !== null) field.current?.focus();
  }, [given]);
  useKeys(
    Object.fromEntries(votes.map((one) => [one.key, () => canVote && vote.mutate(one.vote)])),
    canVote && !vote.isPending,
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const text = prompt.trim();
    if (text === '' || ask.isPending) return;
    vote.reset();
    ask.mutate({ text });
  };
  const typed = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
  };
  const isStopped = ask.isError && stop.current?.signal.aborted === true;
  const turns = [...(battle?.turns ?? []), ...(writing === null ? [] : [writing])];
  return (
    <Stack className={turns.length > 0 ? 'battle' : undefined}>
      {turns.map((turn, at) => (
        <Turned
          // biome-ignore lint/suspicious/noArrayIndexKey: turns never change places
          key={at}
          turn={turn}
          models={battle?.models ?? null}
          isWritten={writing !== null && at === turns.length - 1}
        />
      ))}
      <VisuallyHidden role="status">{said}</VisuallyHidden>
      <Paper withBorder p={{ base: 'xs', sm: 'md' }} className="asking">
        <Stack gap="sm">
          {battle?.vote && (
            <Alert color="green" role="status">
              {votes.find((one) => one.vote === battle.vote)?.label}: A was{' '}
              <Name>{battle.models?.left ?? ''}</Name>, B was{' '}
              <Name>{battle.models?.right ?? ''}</Name>. The next prompt starts a new battle.
            </Alert>
          )}
          {vote.isError && <Failure error={vote.error} />}
          {ask.isError && !isStopped && (
            <Failure error={ask.error} retry={() => ask.mutate({ text: ask.variables.text })} />
          )}
          {ask.isError && !isStopped && battle?.turns.length === 0 && (
            <Group>
              <Button
                variant="default"
                leftSection={<IconRefresh size={16} />}
                onClick={() => ask.mutate({ text: ask.variables.text, isNew: true })}
              >
                Start another battle
              </Button>
            </Group>
          )}
          {isOpen && (
            <Group
              ref={voting}
              justify="center"
              gap="xs"
              role="group"
              aria-label="Your vote"
              tabIndex={-1}
              style={{ outline: 'none' }}
            >
              {votes.map(({ vote: given, label, key }) => (
                <Button
                  key={given}
                  variant="default"
                  disabled={!canVote}
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
          <form onSubmit={submit}>
            <Group align="flex-end">
              <Textarea
                ref={field}
                label={isOpen ? 'Go on, or vote' : 'Your prompt'}
                description="Enter sends it, Shift and Enter make a new line"
                dir="auto"
                style={{ flex: 1, minWidth: 200 }}
                autosize
                minRows={2}
                maxRows={10}
                maxLength={50_000}
                value={prompt}
                onChange={(event) => setPrompt(event.currentTarget.value)}
                onKeyDown={typed}
              />
              {ask.isPending ? (
                <Button
                  variant="default"
                  leftSection={<IconPlayerStopFilled size={16} />}
                  onClick={() => stop.current?.abort()}
                >
                  Stop
                </Button>
              ) : (
                <Button
                  type="submit"
                  disabled={prompt.trim() === ''}
                  leftSection={isOpen ? <IconSend size={18} /> : <IconPlayerPlay size={18} />}
                >
                  {isOpen ? 'Send' : 'Start the battle'}
                </Button>
              )}
            </Group>
          </form>
        </Stack>
      </Paper>
    </Stack>
  );
}

function Turned({
  turn,
  models,
  isWritten,
}: {
  turn: Turn;
  models: Shown['models'];
  /** Whether the models are still at it. */
  isWritten: boolean;
}) {
  const top = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isWritten) top.current?.scrollIntoView({ block: 'start' });
  }, [isWritten]);
  return (
    <Stack gap="sm" ref={top} className="turn">
      <Card withBorder>
        <ContentView content={turn.prompt} plain />
      </Card>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {(['left', 'right'] as const).map((side) => (
          <Card
            key={side}
            withBorder
            component="article"
            aria-label={labelOf(side)}
            aria-busy={isWritten}
          >
            <Group mb="xs" gap="xs">
              <Badge size="lg" variant="light" circle>
                {side === 'left' ? 'A' : 'B'}
              </Badge>
              {models !== null && (
                <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
                  <Name>{models[side]}</Name>
                </Text>
              )}
            </Group>
            {isWritten && turn[side] === '' ? (
              <Box h="1.6em">
                <Loader type="dots" size="sm" aria-hidden />
              </Box>
            ) : (
              <ContentView content={turn[side]} alone />
            )}
          </Card>
        ))}
      </SimpleGrid>
    </Stack>
  );
}

const labelOf = (side: 'left' | 'right'): string => `Answer ${side === 'left' ? 'A' : 'B'}`;
