// Has a model say what it expects of open pairs: people learn it after their verdict.
import { Button, Group, NumberInput, Progress, Select, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { SuggestResult } from '../../../src/asking/suggest-tasks.ts';
import { answerLines, answerOf, api } from '../api.ts';
import { Marked } from '../content/marked.tsx';
import { Failure } from '../shell/failure.tsx';
import { counted } from '../shell/words.ts';

/** How far the judge is, and at the end what came of it. */
interface Asked {
  done: number;
  total: number;
  result: SuggestResult | null;
}

export function AskJudge({ project }: { project: string }) {
  const servers = useQuery({
    queryKey: ['models', project],
    queryFn: () => answerOf(api.projects[':project'].models.$get({ param: { project } })),
  });
  const [model, setModel] = useState<string | null>(null);
  const [limit, setLimit] = useState<number | string>(50);
  const [asked, setAsked] = useState<Asked | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const ask = useMutation({
    mutationFn: async () => {
      const control = new AbortController();
      stop.current = control;
      setAsked(null);
      const json = { model: model ?? '', limit: Number(limit) };
      const path = `/projects/${project}/suggestions`;
      for await (const now of answerLines<Asked>(path, json, control.signal)) setAsked(now);
    },
  });
  const isStopped = ask.isError && stop.current?.signal.aborted === true;
  const names = servers.data?.names ?? [];
  return (
    <Stack>
      <Title order={2} size="h4">
        Suggestions of a judge
      </Title>
      <Text size="sm">
        A model says which answer of each open pair it expects to be better. People see it after
        their verdict, if the settings above say so, and never before.
      </Text>
      {names.length === 0 ? (
        <Text size="sm" c="dimmed">
          No model answers here. Start the Studio with --models, or ask any judge with keel data
          suggest.
        </Text>
      ) : (
        <Group align="flex-end">
          <Select label="Judge" data={[...names]} value={model} onChange={setModel} />
          <NumberInput
            label="Pairs at most"
            min={1}
            max={500}
            allowDecimal={false}
            value={limit}
            onChange={setLimit}
          />
          {ask.isPending ? (
            <Button variant="default" onClick={() => stop.current?.abort()}>
              Stop
            </Button>
          ) : (
            <Button variant="default" disabled={model === null} onClick={() => ask.mutate()}>
              Ask the judge
            </Button>
          )}
        </Group>
      )}
      {ask.isError && !isStopped && <Failure error={ask.error} />}
      {ask.isPending && (
        <Progress
          value={asked === null || asked.total === 0 ? 0 : (100 * asked.done) / asked.total}
          aria-label="Share of the pairs that the judge has read"
        />
      )}
      {asked !== null && <Outcome asked={asked} isStopped={isStopped} />}
    </Stack>
  );
}

function Outcome({
  asked: { done, total, result },
  isStopped,
}: {
  asked: Asked;
  isStopped: boolean;
}) {
  if (result === null) {
    return (
      <Text role="status" size="sm">
        {isStopped && 'Stopped. What the judge has said is saved. '}
        {done} of {counted(total, 'pair')} read
      </Text>
    );
  }
  return (
    <Text role="status" size="sm">
      {counted(result.saved, 'new suggestion')}
      {result.known > 0 && `, ${result.known} that were there already`}
      {Object.entries(result.failed).map(([why, count]) => (
        <span key={why}>
          ; {count} without: <Marked text={why} />
        </span>
      ))}
    </Text>
  );
}
