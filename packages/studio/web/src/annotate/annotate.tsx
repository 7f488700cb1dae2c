// One task after the other: the page that annotators spend their time on.
import {
  ActionIcon,
  Button,
  Drawer,
  Progress,
  Skeleton,
  Stack,
  Text,
  Tooltip,
  VisuallyHidden,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { IconArrowBackUp, IconBook, IconConfetti, IconKeyboard } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Link } from 'wouter';
import { ApiFailure, answerOf, api, queries } from '../api.ts';
import { visibleText } from '../content/invisible.ts';
import { SafeMarkdown } from '../content/markdown.tsx';
import { useProject } from '../projects/use-projects.ts';
import { useSession } from '../session.ts';
import { EmptyState } from '../shell/empty-state.tsx';
import { Failure } from '../shell/failure.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { counted, percent } from '../shell/words.ts';
import { KeyHelp } from './key-help.tsx';
import { Task, type TaskShown } from './task.tsx';
import { draftKey, forgetDraft } from './use-draft.ts';
import { useKeys } from './use-keys.ts';
import type { verdictOf } from './verdict.ts';

/** Milliseconds after which a person who looks at a task says that it is still in work. */
const RENEWAL = 5 * 60_000;

interface Progressing {
  mine: number;
  skipped: number;
  left: number;
}

interface Sent {
  id: string;
  /** The newest version of the person's verdict that is on the page. */
  known: number;
  verdict: ReturnType<typeof verdictOf>;
  draftAt: string;
}

interface Next {
  task: TaskShown | null;
  progress: Progressing;
  pace: { seconds: number | null };
}

export default function Annotate({ project }: { project: string }) {
  const param = { project };
  const about = useProject(project);
  const [shown, setShown] = useState<TaskShown | null>(null);
  const [hasGuidelines, guidelines] = useDisclosure(false);
  const [hasKeys, keyHelp] = useDisclosure(false);

  const next = useQuery({
    queryKey: ['next', project],
    queryFn: async () => (await answerOf(api.projects[':project'].next.$post({ param }))) as Next,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  // A task that was taken back stands before the next one.
  const task = shown ?? next.data?.task ?? null;

  const [lost, setLost] = useState<{ id: string; error: Error } | null>(null);
  const person = useSession().data?.name ?? '';
  const draftAt = useMemo(
    () => (task === null ? null : draftKey(task.id, person, task.answers)),
    [task, person],
  );

  // What a screen reader hears after a verdict.
  const [said, setSaid] = useState('');

  // A new task is read from its beginning, also where its button went with the last one.
  const before = useRef<string | null>(null);
  useEffect(() => {
    if (draftAt !== null && before.current !== null && before.current !== draftAt) {
      window.scrollTo({ top: 0 });
      if (document.activeElement === document.body) document.getElementById('prompt')?.focus();
    }
    before.current = draftAt;
  }, [draftAt]);

  const goOn = useCallback(async () => {
    setShown(null);
    await queries.invalidateQueries({ queryKey: ['next', project] });
  }, [project]);

  const send = useMutation({
    mutationFn: ({ id, known, verdict }: Sent) =>
      answerOf(
        api.projects[':project'].tasks[':task'].verdict.$post({
          param: { project, task: id },
          json: { ...verdict, known },
        }),
      ),
    onSuccess: ({ suggestions }, { draftAt: at, verdict }) => {
      forgetDraft(at);
      setSaid(verdict.choice === null ? 'Task skipped' : 'Verdict saved');
      for (const one of suggestions) notifications.show({ message: suggestionText(one) });
      // Not awaited: the next task is shown and open to keys in the same moment.
      void goOn();
    },
  });
  const undo = useMutation({
    /** @param answered the task to take back; null: that of the newest verdict */
    mutationFn: async (answered: string | null) =>
      (await answerOf(
        answered === null
          ? api.projects[':project'].undo.$post({ param })
          : api.projects[':project'].tasks[':task'].reopen.$post({
              param: { project, task: answered },
            }),
      )) as Next,
  });
  const reopen = ({ task: earlier, progress, pace }: Next) => {
    send.reset();
    setLost(null);
    if (earlier === null) {
      notifications.show({ message: 'There is no verdict to take back' });
      return;
    }
    setShown(earlier);
    setSaid('Verdict taken back');
    queries.setQueryData<Next>(
      ['next', project],
      (before) => before && { ...before, progress, pace },
    );
  };

  const fault = send.error ?? (lost !== null && lost.id === task?.id ? lost.error : null);
  // The task on the page was answered elsewhere: Undo is about it, and not about the newest verdict.
  const answered =
    task !== null && fault instanceof ApiFailure && fault.code === 'answered' ? task.id : null;
  // Called when the mutation is over, so that what is shown has its keys at once.
  const takeBack = () => undo.mutate(answered, { onSuccess: reopen });

  const held = task?.id;
  useEffect(() => {
    if (held === undefined) return;
    const renew = () => {
      if (document.hidden) return;
      const given = { param: { project, task: held } };
      answerOf(api.projects[':project'].tasks[':task'].renew.$post(given)).then(
        () => setLost(null),
        // Better now than after more work: it went to others, or another tab has answered it.
        (error) => {
          if (error instanceof ApiFailure && error.status === 409) setLost({ id: held, error });
        },
      );
    };
    const timer = setInterval(renew, RENEWAL);
    document.addEventListener('visibilitychange', renew);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', renew);
    };
  }, [project, held]);

  useKeys(
    {
      ...(!hasKeys && { u: takeBack }),
      g: guidelines.toggle,
      '?': keyHelp.toggle,
    },
    !undo.isPending,
  );

  if (about.isError) return <Failure error={about.error} />;
  if (next.isError) return <Failure error={next.error} retry={() => void next.refetch()} />;
  if (about.data === undefined || next.data === undefined) return <Skeleton h={400} />;
  const { settings, guidelines: text, name } = about.data;
  const { progress, pace } = next.data;
  return (
    <>
      <PageHeader
        title={name}
        actions={
          <>
            {text !== null && (
              <Tooltip label="Guidelines (G)">
                <ActionIcon
                  variant="default"
                  size="lg"
                  aria-label="Guidelines"
                  onClick={guidelines.toggle}
                >
                  <IconBook size={18} />
                </ActionIcon>
              </Tooltip>
            )}
            <Tooltip label="Keys (?)">
              <ActionIcon variant="default" size="lg" aria-label="Keys" onClick={keyHelp.open}>
                <IconKeyboard size={18} />
              </ActionIcon>
            </Tooltip>
            <Button
              variant="default"
              leftSection={<IconArrowBackUp size={18} />}
              disabled={progress.mine + progress.skipped === 0 && answered === null}
              loading={undo.isPending}
              onClick={takeBack}
            >
              Undo
            </Button>
          </>
        }
      >
        <ProgressLine progress={progress} seconds={pace.seconds} />
        <VisuallyHidden role="status">
          {said !== '' && `${said}: ${progress.mine} done, ${progress.left} left`}
        </VisuallyHidden>
      </PageHeader>
      {undo.isError && <Failure error={undo.error} />}
      {task === null ? (
        <EmptyState
          title="Nothing is left for you here"
          icon={<IconConfetti size={40} stroke={1.4} />}
          action={
            <Button component={Link} href="/projects" variant="default">
              Back to the projects
            </Button>
          }
        >
          {progress.mine > 0
            ? `Thank you: you gave ${counted(progress.mine, 'verdict')}. With Undo you can still change the last ones.`
            : 'All tasks of this project are taken or finished. New ones appear here when they are added.'}
        </EmptyState>
      ) : (
        <Task
          key={draftAt}
          task={task}
          draftAt={draftAt!}
          // What is pressed while a verdict is taken back is not for the task that goes.
          hasKeys={!hasKeys && !undo.isPending}
          asked={settings}
          isSending={send.isPending || next.isFetching || undo.isPending}
          error={fault}
          goOn={() => {
            send.reset();
            setLost(null);
            void goOn();
          }}
          send={(verdict) => {
            const known = task.draft?.version ?? 0;
            send.mutate({ id: task.id, known, verdict, draftAt: draftAt! });
          }}
        />
      )}
      <KeyHelp
        kind={task?.kind ?? 'pair'}
        asked={settings}
        isOpen={hasKeys}
        close={keyHelp.close}
      />
      <Drawer
        opened={hasGuidelines && text !== null}
        onClose={guidelines.close}
        position="right"
        title="Guidelines"
        // The task stays usable beside them.
        withOverlay={false}
        lockScroll={false}
        trapFocus={false}
      >
        {text !== null && <SafeMarkdown text={text.text} />}
      </Drawer>
    </>
  );
}

const suggestionText = ({ by, left }: { by: string; left: number }): string =>
  `${left >= 0.5 ? 'A' : 'B'} was expected with ${percent(Math.max(left, 1 - left))} by ${visibleText(by)}`;

function ProgressLine({
  progress: { mine, skipped, left },
  seconds,
}: {
  progress: Progressing;
  seconds: number | null;
}) {
  const all = mine + skipped + left;
  const rest = seconds === null || left === 0 ? null : Math.ceil((seconds * left) / 60);
  return (
    <Stack gap={6}>
      <Progress
        w={280}
        maw="100%"
        value={all === 0 ? 0 : (100 * (mine + skipped)) / all}
        aria-label="Share of your tasks that are done"
      />
      <Text size="sm" span>
        {mine} done, {left} left for you
        {seconds !== null && `, ${Math.round(seconds)} s each`}
        {rest !== null && `, about ${counted(rest, 'minute')} to go`}
      </Text>
    </Stack>
  );
}
