// One task: the prompt, the answers, and the verdict in the making.
import {
  Box,
  Button,
  Checkbox,
  Group,
  Kbd,
  Paper,
  SegmentedControl,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  Textarea,
  Title,
  Tooltip,
} from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconFlag, IconMessage, IconPencil, IconPlayerSkipForward } from '@tabler/icons-react';
import { type ReactNode, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { ApiFailure } from '../api.ts';
import { type Content, ContentView, textOf } from '../content/content.tsx';
import { Failure } from '../shell/failure.tsx';
import { AnswerCard } from './answer-card.tsx';
import { PairScale } from './pair-scale.tsx';
import { BestList, RankingList } from './ranking-list.tsx';
import './task.css';
import { useDraft } from './use-draft.ts';
import { type Keys, useKeys } from './use-keys.ts';
import { useSeconds } from './use-seconds.ts';
import {
  type Asked,
  type Draft,
  emptyDraft,
  type Kind,
  letterOf,
  missing,
  scaleOf,
  verdictOf,
} from './verdict.ts';

export interface TaskShown {
  id: string;
  kind: Kind;
  prompt: Content;
  answers: readonly Content[];
  /** The verdict that the person gave before. */
  draft:
    | ({
        [Name in keyof Draft]?: Draft[Name] | null;
      } & { choice: Draft['choice']; version: number })
    | null;
}

export function Task({
  task,
  draftAt,
  hasKeys,
  asked,
  send,
  goOn,
  isSending,
  error,
}: {
  task: TaskShown;
  /** Where the draft is kept. */
  draftAt: string;
  /** Whether keys are for the task, and not for a dialog before it. */
  hasKeys: boolean;
  asked: Asked;
  send: (verdict: ReturnType<typeof verdictOf>) => void;
  /** Asks for the next task: this one again, if the person still holds it. */
  goOn: () => void;
  isSending: boolean;
  error: Error | null;
}) {
  const { kind, prompt, answers } = task;
  const { draft, change } = useDraft(draftAt, answers.length, earlierDraft(task));
  const seconds = useSeconds();
  const comment = useRef<HTMLTextAreaElement>(null);
  const better = useRef<HTMLTextAreaElement>(null);
  const [isPlain, setPlain] = useLocalStorage({ key: 'keel-plain-text', defaultValue: false });
  const [hasDifferences, setDifferences] = useState(false);
  const [atOnce, setAtOnce] = useLocalStorage({ key: 'keel-send-at-once', defaultValue: false });
  const [isCommenting, setCommenting] = useState(draft.comment !== '');
  const [complaint, setComplaint] = useState<string | null>(null);

  const submit = (given: Draft) => {
    if (isSending) return;
    const fault = missing(kind, given);
    setComplaint(fault);
    if (fault !== null) return;
    send(verdictOf(kind, given, seconds()));
  };
  const skip = () => {
    if (isSending) return;
    send({ ...verdictOf(kind, { ...draft, edit: null, ratings: {} }, seconds()), ...skipped });
  };
  /** A choice, which is the whole verdict if the person wants it so. */
  const choose = (part: Partial<Draft>) => {
    setComplaint(null);
    change(part);
    const next = { ...draft, ...part };
    if (atOnce && missing(kind, next) === null) submit(next);
  };
  const startEdit = (answer: number | null) => {
    const isSame = draft.edit !== null && draft.edit.answer === answer;
    const text = answer === null ? '' : textOf(answers[answer]!);
    if (!isSame) flushSync(() => change({ edit: { answer, text } }));
    better.current?.focus();
  };
  const startComment = () => {
    // The next keys are for the field, however slow the frames are.
    flushSync(() => setCommenting(true));
    comment.current?.focus();
  };

  const scale = scaleOf(asked);
  useKeys(
    {
      ...keysOf(kind, { asked, draft, choose, answers: answers.length }),
      enter: () => (isOver(error) ? goOn() : submit(draft)),
      s: skip,
      c: startComment,
      f: () => change({ flagged: !draft.flagged }),
      p: () => setPlain(!isPlain),
      escape: () => (document.activeElement as HTMLElement | null)?.blur(),
      ...(kind === 'pair' && { d: () => setDifferences(!hasDifferences) }),
      ...(asked.edits && { e: () => startEdit(draft.choice === 'right' ? 1 : 0) }),
    },
    hasKeys,
  );

  const card = (at: number, aside?: ReactNode) => (
    <AnswerCard
      key={at}
      {...{ at, asked, draft, change, aside }}
      content={answers[at]!}
      plain={isPlain}
      compared={hasDifferences && answers.length === 2 ? answers[1 - at]! : null}
      chosen={isChosen(kind, draft, at)}
      isFolded={kind === 'ranking'}
      edit={asked.edits ? () => startEdit(at) : null}
    />
  );
  return (
    <Stack gap="md">
      <Paper
        withBorder
        p="md"
        component="section"
        aria-label="Prompt"
        id="prompt"
        tabIndex={-1}
        style={{ outline: 'none' }}
      >
        <Group justify="space-between" mb="xs">
          <Title order={2} size="h5">
            Prompt
          </Title>
          <Group gap="md">
            {kind === 'pair' && (
              <Switch
                size="xs"
                label="Differences"
                checked={hasDifferences}
                onChange={(event) => setDifferences(event.currentTarget.checked)}
              />
            )}
            <Switch
              size="xs"
              label="Plain text"
              checked={isPlain}
              onChange={(event) => setPlain(event.currentTarget.checked)}
            />
          </Group>
        </Group>
        <Box className="prompt" tabIndex={0} role="region" aria-label="Text of the prompt">
          <ContentView content={prompt} plain={isPlain} />
        </Box>
      </Paper>

      {kind === 'ranking' && asked.ranking === 'best' ? (
        <BestList ranks={draft.ranks} onChange={(ranks) => choose({ ranks })} card={card} />
      ) : kind === 'ranking' ? (
        <RankingList ranks={draft.ranks} onChange={(ranks) => change({ ranks })} card={card} />
      ) : (
        <SimpleGrid cols={{ base: 1, sm: answers.length }}>
          {answers.map((_, at) => card(at))}
        </SimpleGrid>
      )}

      {draft.edit !== null && (
        <Paper withBorder p="md" component="section" aria-label="A better answer">
          <Group justify="space-between" mb="xs">
            <Title order={2} size="h5">
              A better answer
              {draft.edit.answer !== null && `, from answer ${letterOf(draft.edit.answer)}`}
            </Title>
            <Button
              size="compact-sm"
              variant="subtle"
              color="red"
              onClick={() => change({ edit: null })}
            >
              Discard
            </Button>
          </Group>
          <Textarea
            ref={better}
            aria-label="Text of the better answer"
            dir="auto"
            autosize
            minRows={4}
            maxRows={18}
            value={draft.edit.text}
            onChange={(event) =>
              change({ edit: { answer: draft.edit!.answer, text: event.currentTarget.value } })
            }
          />
        </Paper>
      )}

      <Paper
        withBorder
        p={{ base: 'xs', sm: 'md' }}
        className="verdict"
        component="section"
        aria-label="Verdict"
      >
        <Stack gap="sm">
          {kind === 'pair' && (
            <PairScale scale={scale} bothBad={asked.bothBad} draft={draft} choose={choose} />
          )}
          {kind === 'thumb' && (
            <Group justify="center">
              <SegmentedControl
                aria-label="Is the answer good?"
                data={[
                  { value: '', label: 'Undecided' },
                  { value: 'up', label: 'Good (1)' },
                  { value: 'down', label: 'Bad (2)' },
                ]}
                value={draft.choice ?? ''}
                onChange={(value) => choose({ choice: (value || null) as Draft['choice'] })}
              />
            </Group>
          )}
          {kind === 'ranking' && (
            <Text size="sm" ta="center" c="dimmed">
              {asked.ranking === 'best'
                ? 'Mark the best answer, or type its number: 1 for A, 2 for B and so on.'
                : 'Drag the answers, the best one first. Or type their numbers from the best to the worst: 1 for A, 2 for B and so on.'}
            </Text>
          )}
          {isCommenting && (
            <Textarea
              ref={comment}
              label="Comment"
              dir="auto"
              autosize
              minRows={2}
              maxLength={10_000}
              value={draft.comment}
              onChange={(event) => change({ comment: event.currentTarget.value })}
            />
          )}
          {complaint !== null && (
            <Text role="alert" c="red" size="sm" ta="center">
              {complaint}
            </Text>
          )}
          {error !== null &&
            (isOver(error) ? (
              <Failure
                error={error}
                title={error.code === 'answered' ? 'Already answered' : 'No longer your task'}
                retry={goOn}
                label="Next task"
              />
            ) : (
              <Failure error={error} retry={() => submit(draft)} />
            ))}
          <Group justify="space-between">
            <Group gap={4}>
              <Tool label="Comment" icon={<IconMessage size={16} />} act={startComment} />
              <Tool
                label={draft.flagged ? 'Flagged' : 'Flag'}
                icon={<IconFlag size={16} />}
                isOn={draft.flagged}
                act={() => change({ flagged: !draft.flagged })}
              />
              {asked.edits && draft.edit === null && (
                <Tool
                  label="Write a better answer"
                  icon={<IconPencil size={16} />}
                  act={() => startEdit(null)}
                />
              )}
            </Group>
            <Group gap="xs">
              <Checkbox
                label="Send at once"
                size="xs"
                visibleFrom="sm"
                checked={atOnce}
                onChange={(event) => setAtOnce(event.currentTarget.checked)}
              />
              <Button
                variant="default"
                px={{ base: 10, sm: 'md' }}
                aria-label="Skip"
                onClick={skip}
                disabled={isSending}
              >
                <IconPlayerSkipForward size={16} />
                <Box component="span" visibleFrom="sm" ml={8}>
                  Skip
                </Box>
              </Button>
              <Button
                onClick={() => submit(draft)}
                loading={isSending}
                rightSection={
                  <Kbd size="xs" visibleFrom="sm">
                    Enter
                  </Kbd>
                }
              >
                Send
              </Button>
            </Group>
          </Group>
        </Stack>
      </Paper>
    </Stack>
  );
}

/** A tool of the verdict: on a phone only its icon is shown. */
const Tool = ({
  label,
  icon,
  act,
  isOn,
}: {
  label: string;
  icon: ReactNode;
  act: () => void;
  isOn?: boolean;
}) => (
  <Tooltip label={label} hiddenFrom="sm">
    <Button
      variant={isOn ? 'light' : 'subtle'}
      color={isOn ? 'red' : undefined}
      px={{ base: 10, sm: 'sm' }}
      aria-label={label}
      aria-pressed={isOn}
      onClick={act}
    >
      {icon}
      <Box component="span" visibleFrom="sm" ml={8}>
        {label}
      </Box>
    </Button>
  </Tooltip>
);

/** Whether the person has nothing to say of the task any more. */
const isOver = (error: Error | null): error is ApiFailure =>
  error instanceof ApiFailure && ['answered', 'not-held'].includes(error.code);

const skipped = { choice: null, ranks: null, strength: null, ratings: null, edit: null };

/** The person's earlier verdict as a draft; null if there is none. */
function earlierDraft({ draft, answers }: TaskShown): Draft | null {
  if (draft === null) return null;
  const empty = emptyDraft(answers.length);
  const given = Object.entries(draft).filter(([name, value]) => name in empty && value !== null);
  const { choice, ...rest } = { ...empty, ...Object.fromEntries(given) } as Draft;
  return { ...rest, choice: choice === 'ranked' ? null : choice };
}

function isChosen(kind: Kind, { choice, ranks }: Draft, at: number): boolean {
  if (kind === 'ranking') return ranks[at] === 1;
  if (kind === 'thumb') return choice === 'up';
  return choice === (at === 0 ? 'left' : 'right');
}

function keysOf(
  kind: Kind,
  {
    asked,
    draft,
    choose,
    answers,
  }: { asked: Asked; draft: Draft; choose: (part: Partial<Draft>) => void; answers: number },
): Keys {
  if (kind === 'thumb') {
    const up = () => choose({ choice: 'up' });
    const down = () => choose({ choice: 'down' });
    // Arrows scroll a long answer.
    return { '1': up, '2': down };
  }
  if (kind === 'ranking') return rankingKeys(asked, draft, choose, answers);
  const scale = scaleOf(asked);
  const at = scale.findIndex(
    ({ choice, strength }) =>
      choice === draft.choice && (choice === 'tie' || strength === draft.strength),
  );
  const pick = (place: number) => {
    const { choice, strength } = scale[Math.min(scale.length - 1, Math.max(0, place))]!;
    choose({ choice, strength });
  };
  const middle = (scale.length - 1) / 2;
  return {
    ...Object.fromEntries(scale.map((_, place) => [String(place + 1), () => pick(place)])),
    arrowleft: () => pick(at === -1 ? Math.ceil(middle) - 1 : at - 1),
    arrowright: () => pick(at === -1 ? Math.floor(middle) + 1 : at + 1),
    ...(asked.bothBad && { '0': () => choose({ choice: 'both_bad', strength: null }) }),
  };
}

/** Numbers from the best answer to the worst; or the number of the best one. */
function rankingKeys(
  asked: Asked,
  { ranks }: Draft,
  choose: (part: Partial<Draft>) => void,
  answers: number,
): Keys {
  const taken = ranks.filter((rank) => rank !== null).length;
  const name = (at: number) => {
    if (asked.ranking === 'best')
      return choose({ ranks: ranks.map((_, other) => (other === at ? 1 : 2)) });
    // A new order starts where the last one is complete.
    const open = taken === answers ? ranks.map(() => null) : ranks;
    if (open[at] != null) return;
    const rank = open.filter((one) => one !== null).length + 1;
    const next: (number | null)[] = open.with(at, rank);
    // The last answer has only one place left.
    const last = next.indexOf(null);
    choose({ ranks: rank === answers - 1 ? next.with(last, answers) : next });
  };
  const numbers = Array.from({ length: Math.min(9, answers) }, (_, at) => at);
  return {
    ...Object.fromEntries(numbers.map((at) => [String(at + 1), () => name(at)])),
    '0': () => choose({ ranks: ranks.map(() => null) }),
  };
}
