// A project as rows for training, or for other annotation tools.
import { Alert, Button, Checkbox, List, NumberInput, Select, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { ExportTarget, LabelKind } from '../../../src/names.ts';
import { refuse } from '../api.ts';
import { Dialog } from '../shell/dialog.tsx';
import { Failure } from '../shell/failure.tsx';
import { counted } from '../shell/words.ts';

const targets: Readonly<Record<ExportTarget, string>> = {
  pairs: 'Pairs: prompt, chosen, rejected (dpo, reward, TRL)',
  rankings: 'Rankings: prompt, completions, ranking',
  kto: 'Thumbs: prompt, completion, label (kto)',
  demonstrations: 'Demonstrations: the better answers that people wrote (sft)',
  battles: 'Battles of the arena (rate)',
  argilla: 'Argilla records',
  'label-studio': 'Label Studio tasks',
};

const labels: Readonly<Record<LabelKind, string>> = {
  majority: 'What most people say',
  votes: 'Shares of the votes, as soft labels',
};

interface Exported {
  to: ExportTarget;
  tasks: number;
  written: number;
  /** How many are not in the file, by reason. */
  skipped: Readonly<Record<string, number>>;
}

const choicesOf = (names: Readonly<Record<string, string>>) =>
  Object.entries(names).map(([value, label]) => ({ value, label }));

export const ExportDialog = ({
  project,
  children,
}: {
  project: string;
  children: (open: () => void) => ReactNode;
}) => (
  <Dialog title="Export" button={children}>
    {() => <Export project={project} />}
  </Dialog>
);

function Export({ project }: { project: string }) {
  const [to, setTo] = useState<string>('pairs');
  const [label, setLabel] = useState<string>('majority');
  const [minVotes, setMinVotes] = useState<number | string>(1);
  const [edits, setEdits] = useState(false);
  const load = useMutation({
    mutationFn: async () => {
      const query = new URLSearchParams({ to, labels: label, minVotes: String(minVotes) });
      if (to === 'pairs') query.set('edits', String(edits));
      const response = await fetch(`/api/projects/${project}/export?${query}`);
      await refuse(response);
      const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '');
      save(await response.blob(), name?.[1] ?? `${to}.jsonl`);
      const summary = response.headers.get('keel-export');
      return summary === null ? null : (JSON.parse(decodeURIComponent(summary)) as Exported);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    load.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Select
          label="Rows"
          data={choicesOf(targets)}
          value={to}
          onChange={(value) => setTo(value ?? 'pairs')}
          allowDeselect={false}
        />
        {to !== 'battles' && (
          <>
            <Select
              label="Several verdicts on a task become"
              data={choicesOf(labels)}
              value={label}
              onChange={(value) => setLabel(value ?? 'majority')}
              allowDeselect={false}
            />
            <NumberInput
              label="Verdicts that a task needs"
              min={1}
              max={100}
              allowDecimal={false}
              value={minVotes}
              onChange={setMinVotes}
            />
          </>
        )}
        {to === 'pairs' && (
          <Checkbox
            label="Also prefer better answers to those they improve"
            checked={edits}
            onChange={(event) => setEdits(event.currentTarget.checked)}
          />
        )}
        <Text size="sm" c="dimmed">
          The same file is written by keel data export.
        </Text>
        {load.isError && <Failure error={load.error} />}
        {load.isSuccess && <Done exported={load.data} />}
        <Button type="submit" loading={load.isPending}>
          Download
        </Button>
      </Stack>
    </form>
  );
}

/** What is in the file, and what is not, and why. */
function Done({ exported }: { exported: Exported | null }) {
  if (exported === null) return <Alert color="green">The file is in your downloads.</Alert>;
  const { to, tasks, written, skipped } = exported;
  const left = Object.entries(skipped);
  return (
    <Alert color={left.length === 0 ? 'green' : 'yellow'}>
      The file is in your downloads: {counted(written, 'row')} of{' '}
      {counted(tasks, to === 'battles' ? 'battle' : 'task')}.
      {left.length > 0 && (
        <List size="sm" mt="xs">
          {left.map(([why, count]) => (
            <List.Item key={why}>
              {count} left out: {why}
            </List.Item>
          ))}
        </List>
      )}
    </Alert>
  );
}

function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
