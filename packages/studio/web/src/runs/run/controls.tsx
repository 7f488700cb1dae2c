// Stops and resumes a run.
import { Button, Code, Text, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { answerOf, api, queries } from '../../api.ts';
import { Confirm } from '../../shell/confirm.tsx';
import { isOfOtherTrainer, type RunDetails } from '../use-runs.ts';

export function Controls({ run }: { run: RunDetails }) {
  const changed = () => queries.invalidateQueries({ queryKey: ['run', run.id] });
  if (run.state === 'running') {
    return (
      <Confirm
        title="Stop this run?"
        question="It finishes its step, saves a checkpoint and ends. It can be resumed from there."
        yes="Stop the run"
        act={async () => {
          const { pid } = await answerOf(api.runs.stop.$post({ json: { run: run.id } }));
          notifications.show({ title: 'Stopping', message: `Process ${pid} finishes its step.` });
          await changed();
        }}
      >
        {(ask) => (
          <Button
            color="red"
            variant="light"
            leftSection={<IconPlayerStop size={18} />}
            onClick={ask}
            disabled={run.stopping}
          >
            {run.stopping ? 'Stopping …' : 'Stop'}
          </Button>
        )}
      </Confirm>
    );
  }
  if (isOfOtherTrainer(run) || run.state === 'finished') return null;
  const { command, why } = run.resume;
  if (command === null) {
    return (
      <Tooltip label={why} multiline w={320}>
        <Button
          variant="default"
          leftSection={<IconPlayerPlay size={18} />}
          data-disabled
          aria-disabled
        >
          Resume
        </Button>
      </Tooltip>
    );
  }
  return (
    <Confirm
      title="Resume this run?"
      question={
        <>
          <Text size="sm" mb="xs">
            This machine runs the command below in the background. It goes on when the Studio ends,
            and what it prints is in studio.log in the run's folder.
          </Text>
          <Code block>{command}</Code>
        </>
      }
      yes="Resume the run"
      color="sea"
      act={async () => {
        await answerOf(api.runs.resume.$post({ json: { run: run.id } }));
        notifications.show({ title: 'Resuming', message: 'Loading the model takes a while.' });
        await changed();
      }}
    >
      {(ask) => (
        <Button
          leftSection={<IconPlayerPlay size={18} />}
          onClick={ask}
          loading={run.resumed?.running === true}
        >
          Resume
        </Button>
      )}
    </Confirm>
  );
}
