// Files into a project: the formats that `keel data import` reads.
import {
  Alert,
  Button,
  Checkbox,
  FileInput,
  List,
  NumberInput,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { answerOf, api, queries, refuse } from '../api.ts';
import { Marked } from '../content/marked.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { Failure } from '../shell/failure.tsx';
import { counted } from '../shell/words.ts';
import { useProject } from './use-projects.ts';

interface Imported {
  tasks: number;
  known: number;
  annotations: number;
  gold: number;
  skipped: Record<string, number>;
  badRows: number;
  firstBadRow: string | null;
}

export const ImportDialog = ({
  project,
  children,
}: {
  project: string;
  children: (open: () => void) => ReactNode;
}) => (
  <Dialog title="Import" button={children}>
    {(close) => <Import project={project} close={close} />}
  </Dialog>
);

function Import({ project, close }: { project: string; close: () => void }) {
  const [files, setFiles] = useState<File[]>([]);
  const [from, setFrom] = useState<string>('auto');
  const about = useProject(project);
  const [chosenOverlap, setOverlap] = useState<number | string | null>(null);
  const overlap = chosenOverlap ?? about.data?.settings.overlap ?? 1;
  const [person, setPerson] = useState('imported');
  const [isGold, setGold] = useState(false);
  const [skipsBad, setSkipsBad] = useState(false);
  const formats = useQuery({
    queryKey: ['formats'],
    queryFn: () => answerOf(api.formats.$get()),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const send = useMutation({
    mutationFn: async (): Promise<Imported> => {
      const form = new FormData();
      for (const file of files) form.append('files', file);
      form.set('from', from);
      form.set('overlap', String(overlap));
      form.set('person', person);
      form.set('gold', String(isGold));
      form.set('onBadRow', skipsBad ? 'skip' : 'fail');
      const response = await fetch(`/api/projects/${project}/import`, {
        method: 'POST',
        body: form,
      });
      await refuse(response);
      return response.json();
    },
    onSuccess: () => queries.invalidateQueries(),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  if (send.data) return <Summary imported={send.data} close={close} />;
  return (
    <form onSubmit={submit}>
      <Stack>
        <FileInput
          label="Files"
          description="JSON Lines, JSON, CSV or Parquet: pairs, rankings, thumbs, several answers of a prompt, exports of Argilla and Label Studio, battles"
          placeholder="Choose files"
          multiple
          required
          clearable
          value={files}
          onChange={setFiles}
        />
        <Select
          label="Format"
          description="auto: recognised by the columns of each file"
          data={formats.data ?? ['auto']}
          value={from}
          onChange={(value) => setFrom(value ?? 'auto')}
          allowDeselect={false}
          searchable
        />
        <NumberInput
          label="People for each new task"
          min={1}
          max={100}
          allowDecimal={false}
          value={overlap}
          onChange={setOverlap}
        />
        <TextInput
          label="Who gave verdicts that name nobody"
          value={person}
          required
          onChange={(event) => setPerson(event.currentTarget.value)}
        />
        <Checkbox
          label="The verdicts are the known right ones (gold)"
          description="People are measured against them; they are not counted as votes"
          checked={isGold}
          onChange={(event) => setGold(event.currentTarget.checked)}
        />
        <Checkbox
          label="Skip rows that cannot be read"
          description="Otherwise the first such row stops the import, and nothing is added"
          checked={skipsBad}
          onChange={(event) => setSkipsBad(event.currentTarget.checked)}
        />
        {send.isError && <Failure error={send.error} />}
        <Button type="submit" loading={send.isPending} disabled={files.length === 0}>
          Import
        </Button>
      </Stack>
    </form>
  );
}

function Summary({ imported, close }: { imported: Imported; close: () => void }) {
  const { tasks, known, annotations, gold, skipped, badRows, firstBadRow } = imported;
  return (
    <Stack>
      <Text>
        {counted(tasks, 'new task')}
        {known > 0 && `, ${known} that were there already`}
        {annotations > 0 && `, ${counted(annotations, 'new verdict')}`}
        {gold > 0 && `, ${gold} with a known verdict`}.
      </Text>
      {Object.keys(skipped).length > 0 && (
        <List size="sm">
          {Object.entries(skipped).map(([why, count]) => (
            <List.Item key={why}>
              {counted(count, 'row')} skipped: {why}
            </List.Item>
          ))}
        </List>
      )}
      {badRows > 0 && (
        <Alert color="yellow" title={`${counted(badRows, 'row')} could not be read`}>
          <Marked text={firstBadRow ?? ''} />
        </Alert>
      )}
      <Button onClick={close}>Done</Button>
    </Stack>
  );
}
