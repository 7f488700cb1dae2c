// Has a model say what it expects of open pairs: people learn it after their verdict.
import { Button, Group, NumberInput, Select, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, api } from '../api.ts';
import { Failure } from '../shell/failure.tsx';
import { counted } from '../shell/words.ts';

export function AskJudge({ project }: { project: string }) {
  const servers = useQuery({
    queryKey: ['models', project],
    queryFn: () => answerOf(api.projects[':project'].models.$get({ param: { project } })),
  });
  const [model, setModel] = useState<string | null>(null);
  const [limit, setLimit] = useState<number | string>(50);
  const ask = useMutation({
    mutationFn: () =>
      answerOf(
        api.projects[':project'].suggestions.$post({
          param: { project },
          json: { model: model ?? '', limit: Number(limit) },
        }),
      ),
  });
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
          <Button
            variant="default"
            disabled={model === null}
            loading={ask.isPending}
            onClick={() => ask.mutate()}
          >
            Ask the judge
          </Button>
        </Group>
      )}
      {ask.isError && <Failure error={ask.error} />}
      {ask.data && (
        <Text role="status" size="sm">
          {counted(ask.data.saved, 'new suggestion')}
          {ask.data.known > 0 && `, ${ask.data.known} that were there already`}
          {Object.entries(ask.data.failed).map(([why, count]) => `; ${count} without: ${why}`)}
        </Text>
      )}
    </Stack>
  );
}
