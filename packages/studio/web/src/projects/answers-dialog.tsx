// New answers of models as tasks.
import {
  Button,
  Checkbox,
  Code,
  Group,
  NumberInput,
  Skeleton,
  Stack,
  Text,
  Textarea,
} from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { answerOf, api, queries } from '../api.ts';
import { Dialog } from '../shell/dialog.tsx';
import { Failure } from '../shell/failure.tsx';
import { counted } from '../shell/words.ts';

export const AnswersDialog = ({
  project,
  children,
}: {
  project: string;
  children: (open: () => void) => ReactNode;
}) => (
  <Dialog title="Answers of models" size="lg" button={children}>
    {() => <Answers project={project} />}
  </Dialog>
);

function Answers({ project }: { project: string }) {
  const servers = useQuery({
    queryKey: ['models', project],
    queryFn: () => answerOf(api.projects[':project'].models.$get({ param: { project } })),
  });
  const [text, setText] = useState('');
  const [models, setModels] = useState<string[]>([]);
  const [samples, setSamples] = useState<number | string>(1);
  const [temperature, setTemperature] = useState<number | string>(0.8);
  const [maxTokens, setMaxTokens] = useState<number | string>(256);
  const prompts = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const sample = useMutation({
    mutationFn: () =>
      answerOf(
        api.projects[':project'].answers.$post({
          param: { project },
          json: {
            ...{ prompts, models, samples: Number(samples) },
            ...{ temperature: Number(temperature), maxTokens: Number(maxTokens) },
          },
        }),
      ),
    onSuccess: () => queries.invalidateQueries(),
  });
  if (servers.isError) return <Failure error={servers.error} />;
  if (servers.isPending) return <Skeleton h={200} />;
  const { names, faults } = servers.data;
  if (names.length === 0) {
    return (
      <Stack>
        <Text>
          No model answers here yet. Start one with <Code>keel serve</Code>, and the Studio with{' '}
          <Code>keel studio --models http://127.0.0.1:8000</Code>.
        </Text>
        {faults.map((fault) => (
          <Text key={fault} size="sm" c="red">
            {fault}
          </Text>
        ))}
      </Stack>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    sample.mutate();
  };
  const answers = models.length * Number(samples);
  return (
    <form onSubmit={submit}>
      <Stack>
        <Textarea
          label="Prompts"
          description="One in each line"
          autosize
          minRows={3}
          maxRows={12}
          required
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Checkbox.Group label="Models" value={models} onChange={setModels}>
          <Group mt={6}>
            {names.map((name) => (
              <Checkbox key={name} value={name} label={name} />
            ))}
          </Group>
        </Checkbox.Group>
        <Group grow>
          <NumberInput
            label="Answers of each model"
            min={1}
            max={8}
            allowDecimal={false}
            value={samples}
            onChange={setSamples}
          />
          <NumberInput
            label="Temperature"
            min={0}
            max={2}
            step={0.1}
            value={temperature}
            onChange={setTemperature}
          />
          <NumberInput
            label="Tokens at most"
            min={1}
            max={8192}
            allowDecimal={false}
            value={maxTokens}
            onChange={setMaxTokens}
          />
        </Group>
        {sample.isError && <Failure error={sample.error} />}
        {sample.data && (
          <Text role="status">
            {counted(sample.data.tasks, 'new task')}
            {sample.data.known > 0 && `, ${sample.data.known} that were there already`}
            {sample.data.equal > 0 &&
              `; ${counted(sample.data.equal, 'prompt')} got equal answers, which cannot be compared`}
          </Text>
        )}
        <Button
          type="submit"
          loading={sample.isPending}
          disabled={prompts.length === 0 || answers < 2}
        >
          {answers < 2
            ? 'Choose two models, or two answers'
            : `Have ${counted(prompts.length, 'prompt')} answered`}
        </Button>
      </Stack>
    </form>
  );
}
